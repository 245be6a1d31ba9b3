package stm_test

import (
	"context"
	"errors"
	"fmt"

	anacrolix "github.com/anacrolix/stm"

	"github.com/synodkit/synod/stm"
)

// The snippets of docs/from-anacrolix-stm.md.

func theirsPays(from, to *anacrolix.Var[int], n int) bool {
	return anacrolix.Atomically(func(tx *anacrolix.Tx) bool {
		if from.Get(tx) < n {
			return false
		}
		from.Set(tx, from.Get(tx)-n)
		to.Set(tx, to.Get(tx)+n)
		return true
	})
}

func oursPays(ctx context.Context, from, to *stm.Var[int], n int) (bool, error) {
	return stm.Query(ctx, func(tx *stm.Tx) bool {
		if from.Get(tx) < n {
			return false
		}
		from.Set(tx, from.Get(tx)-n)
		to.Set(tx, to.Get(tx)+n)
		return true
	})
}

// An operation that gives a value stays as it is: Query takes it.
func Example_fromAnacrolix() {
	ctx := context.Background()
	a, b := anacrolix.NewVar(10), anacrolix.NewVar(0)
	fmt.Println(theirsPays(a, b, 7), theirsPays(a, b, 7), anacrolix.AtomicGet(a), anacrolix.AtomicGet(b))

	c, d := stm.NewVar(10), stm.NewVar(0)
	fmt.Println(oursPays(ctx, c, d, 7))
	fmt.Println(oursPays(ctx, c, d, 7))
	fmt.Println(c.Load(ctx), d.Load(ctx))
	// Output:
	// true false 3 7
	// true <nil>
	// false <nil>
	// 3 7
}

func theirsSelect(a, b *anacrolix.Var[int]) int {
	take := func(v *anacrolix.Var[int]) anacrolix.Operation[int] {
		return func(tx *anacrolix.Tx) int {
			n := v.Get(tx)
			tx.Assert(n > 0)
			v.Set(tx, n-1)
			return n
		}
	}
	return anacrolix.Atomically(anacrolix.Select(take(a), take(b)))
}

func oursSelect(ctx context.Context, a, b *stm.Var[int]) (int, error) {
	take := func(v *stm.Var[int]) func(tx *stm.Tx) (int, error) {
		return func(tx *stm.Tx) (int, error) {
			n := v.Get(tx)
			if n <= 0 {
				return 0, stm.ErrRetry // tx.Check(n > 0) means the same and costs a panic
			}
			v.Set(tx, n-1)
			return n, nil
		}
	}
	return stm.Atomically(ctx, func(tx *stm.Tx) (int, error) { return stm.Select(tx, take(a), take(b)) })
}

func Example_fromAnacrolixSelect() {
	ctx := context.Background()
	fmt.Println(theirsSelect(anacrolix.NewVar(0), anacrolix.NewVar(5)))
	fmt.Println(oursSelect(ctx, stm.NewVar(0), stm.NewVar(5)))
	// Output:
	// 5
	// 5 <nil>
}

// What stands between the two while code is moved: the old shapes over the new engine.

func atomically[R any](op func(tx *stm.Tx) R) R {
	r, err := stm.Query(context.Background(), op)
	if err != nil {
		panic(err) // cannot be: this context never ends, and op has no error
	}
	return r
}

func either[R any](ops ...func(tx *stm.Tx) R) func(tx *stm.Tx) R {
	return func(tx *stm.Tx) R {
		if len(ops) == 0 {
			return stm.Retry[R](tx)
		}
		return stm.OrElse(tx, ops[0], either(ops[1:]...))
	}
}

func wouldBlock[R any](op func(tx *stm.Tx) R) bool {
	_, waiter, err := stm.Poll(context.Background(), op) // unlike WouldBlock, it commits if it can
	if waiter != nil {
		waiter.Stop()
	}
	return err != nil || waiter != nil
}

func setIfNew[T comparable](tx *stm.Tx, v *stm.Var[T], x T) {
	if v.Get(tx) != x { // instead of NewBuiltinEqVar
		v.Set(tx, x)
	}
}

func Example_fromAnacrolixShapes() {
	v := stm.NewVar(0)
	positive := func(tx *stm.Tx) int { tx.Check(v.Get(tx) > 0); return v.Get(tx) }
	fmt.Println(wouldBlock(positive))
	fmt.Println(atomically(either(positive, func(*stm.Tx) int { return -1 })))
	atomically(func(tx *stm.Tx) int { setIfNew(tx, v, 3); return 0 })
	fmt.Println(wouldBlock(positive), atomically(either(positive)))
	// Output:
	// true
	// -1
	// false 3
}

// Two Vars that are always equal. Theirs runs a body on a state that never was; ours runs it again.
func Example_fromAnacrolixOpacity() {
	a, b := anacrolix.NewVar(0), anacrolix.NewVar(0)
	theirsTorn, theirsRuns := false, 0
	anacrolix.Atomically(func(tx *anacrolix.Tx) int {
		theirsRuns++
		x := a.Get(tx)
		if theirsRuns == 1 {
			anacrolix.AtomicSet(a, 1)
			anacrolix.AtomicSet(b, 1)
		}
		theirsTorn = theirsTorn || x != b.Get(tx)
		return x
	})
	fmt.Println("torn:", theirsTorn)

	ctx := context.Background()
	c, d := stm.NewVar(0), stm.NewVar(0)
	both := func(tx *stm.Tx) error { c.Set(tx, 1); d.Set(tx, 1); return nil }
	oursTorn, runs := false, 0
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		runs++
		x := c.Get(tx)
		if runs == 1 {
			committed := make(chan error)
			go func() { committed <- stm.Do(ctx, both) }() //stmvet:ok another transaction is to come in between
			<-committed                                    //stmvet:ok as above
		}
		oursTorn = oursTorn || x != d.Get(tx) //stmvet:ok remembers over all runs
		return nil
	})
	fmt.Println("torn:", oursTorn)
	// Output:
	// torn: true
	// torn: false
}

// A recover in the body swallows their Retry, and the half-done run is committed. Ours still waits.
func Example_fromAnacrolixRecover() {
	a := anacrolix.NewVar(0)
	anacrolix.Atomically(anacrolix.VoidOperation(func(tx *anacrolix.Tx) {
		defer func() { _ = recover() }()
		a.Set(tx, 1)
		tx.Retry()
	}))
	fmt.Println("theirs:", anacrolix.AtomicGet(a))

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	v := stm.NewVar(0)
	err := stm.Do(ctx, func(tx *stm.Tx) error {
		defer func() { _ = recover() }()
		v.Set(tx, v.Get(tx)+1)
		tx.Retry()
		return nil
	})
	fmt.Println("ours:", v.Load(ctx), errors.Is(err, context.Canceled))
	// Output:
	// theirs: 1
	// ours: 0 true
}
