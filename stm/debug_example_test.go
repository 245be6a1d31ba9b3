package stm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/synodkit/synod/stm"
)

// A body that appends to what is outside it gives another result when it runs again. In debug mode it does not get past
// its first test: t.Cleanup(stm.Debug()).
func ExampleDebug() {
	defer stm.Debug()()
	seats := stm.NewVar(3).Label("seats")
	defer func() {
		says, _, _ := strings.Cut(fmt.Sprint(recover()), ";")
		fmt.Println(says)
	}()
	var log []int
	_, _ = stm.Query(context.Background(), func(tx *stm.Tx) []int {
		log = append(log, seats.Get(tx)) //stmvet:ok the example is about this
		return log
	})
	// Output:
	// stm: the body is not pure: its result is [3], then [3 3]
}

// Which Var makes whom run again?
func ExampleContention() {
	record := stm.RecordContention(1)
	defer record.Stop()
	ctx, stock := context.Background(), stm.NewVar(10).Label("stock")
	sale := func(tx *stm.Tx) error { stock.Update(tx, func(n int) int { return n - 1 }); return nil }
	disturbed := false
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		n := stock.Get(tx)
		if !disturbed { // what another goroutine would do
			disturbed = true
			_ = stm.Do(ctx, sale) //stmvet:ok stands in for another goroutine
		}
		stock.Set(tx, n-1)
		return nil
	})
	for _, c := range record.Conflicts() {
		who, _, _ := strings.Cut(c.Transaction, " ")
		fmt.Println(c.Lost, c.Var, who)
	}
	// Output:
	// 1 stock stm_test.ExampleContention
}

// All states of two lamps and a switch, each reached by bodies that run against a state and leave the Vars alone.
func ExampleModel() {
	left, right := stm.NewVar(false), stm.NewVar(true)
	rules := []func(tx *stm.Tx) error{
		func(tx *stm.Tx) error { // both cannot burn
			tx.Check(!right.Get(tx))
			left.Update(tx, func(on bool) bool { return !on })
			return nil
		},
		func(tx *stm.Tx) error {
			if left.Get(tx) {
				return stm.ErrRetry
			}
			right.Update(tx, func(on bool) bool { return !on })
			return nil
		},
	}
	var m stm.Model
	seen := map[stm.State]bool{"": true}
	for queue := []stm.State{""}; len(queue) > 0; queue = queue[1:] {
		for _, rule := range rules {
			step := m.Run(queue[0], rule)
			if errors.Is(step.Err, stm.ErrRetry) || seen[step.Next] {
				continue
			}
			seen[step.Next] = true
			queue = append(queue, step.Next)
			m.Run(step.Next, func(tx *stm.Tx) error {
				fmt.Println("left", left.Get(tx), "right", right.Get(tx)) //stmvet:ok a Model runs a body once
				return nil
			})
		}
	}
	fmt.Println(len(seen), "states; the Vars are as they were:", left.Load(context.Background()), right.Load(context.Background()))
	// Output:
	// left false right false
	// left true right false
	// 3 states; the Vars are as they were: false true
}
