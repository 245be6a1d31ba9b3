package stm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/queue"
)

// The snippets of docs/from-channels.md.

// owned is a score that one goroutine owns and others ask for.
type owned struct {
	add  chan int
	read chan chan int
	quit chan struct{}
}

func (o owned) serve() {
	score := 0
	for {
		select {
		case n := <-o.add:
			score += n
		case reply := <-o.read:
			reply <- score
		case <-o.quit:
			return
		}
	}
}

// shared is the same score without the goroutine.
type shared struct{ score *stm.Var[int] }

func (s shared) Add(tx *stm.Tx, n int) { s.score.Set(tx, s.score.Get(tx)+n) }

func (s shared) Score(tx *stm.Tx) int { return s.score.Get(tx) }

// A goroutine that owns a state, and a Var that needs none. The Var can be waited for.
func Example_fromChannels() {
	ctx := context.Background()
	o := owned{make(chan int), make(chan chan int), make(chan struct{})}
	var wg sync.WaitGroup
	wg.Go(o.serve)
	o.add <- 3
	reply := make(chan int)
	o.read <- reply
	fmt.Println(<-reply)
	close(o.quit)

	s := shared{stm.NewVar(0)}
	wg.Go(func() {
		_ = stm.Do(ctx, func(tx *stm.Tx) error { s.Add(tx, 3); return nil })
	})
	score, err := stm.Query(ctx, func(tx *stm.Tx) int {
		score := s.Score(tx)
		tx.Check(score >= 3)
		return score
	})
	fmt.Println(score, err)
	wg.Wait()
	// Output:
	// 3
	// 3 <nil>
}

var errClosed = errors.New("closed")

// line is an unbounded queue that can be closed. Package sync/queue has better ones.
type line struct {
	items  *stm.Var[[]string]
	closed *stm.Var[bool]
}

func newLine(items ...string) line { return line{stm.NewVar(items), stm.NewVar(false)} }

func (l line) Put(tx *stm.Tx, item string) error {
	if l.closed.Get(tx) {
		return errClosed // not a panic, and the sender may look before
	}
	l.items.Set(tx, append(slices.Clip(l.items.Get(tx)), item))
	return nil
}

func (l line) Take(tx *stm.Tx) (string, error) {
	items := l.items.Get(tx)
	switch {
	case len(items) > 0:
		l.items.Set(tx, items[1:])
		return items[0], nil
	case l.closed.Get(tx):
		return "", errClosed
	}
	return "", stm.ErrRetry
}

func selectChannels(high, low <-chan string) string {
	select {
	case item := <-high:
		return item
	case item := <-low:
		return item
	default:
		return "nothing"
	}
}

func selectLines(ctx context.Context, high, low line) (string, error) {
	return stm.Atomically(ctx, func(tx *stm.Tx) (string, error) {
		return stm.Select(tx, high.Take, low.Take,
			func(*stm.Tx) (string, error) { return "nothing", nil })
	})
}

// The order of alternatives is a priority; the last one here is the default.
func Example_fromChannelsSelect() {
	ctx := context.Background()
	high, low := make(chan string, 1), make(chan string, 1)
	low <- "later"
	fmt.Println(selectChannels(high, low), selectChannels(high, low))

	h, l := newLine("now"), newLine("later")
	for range 3 {
		fmt.Println(selectLines(ctx, h, l))
	}
	// Output:
	// later nothing
	// now <nil>
	// later <nil>
	// nothing <nil>
}

// What a select cannot say: from both or from neither, and only what fits.
func Example_fromChannelsTogether() {
	ctx := context.Background()
	left, right := newLine("ann"), newLine("bob")
	pair, err := stm.Atomically(ctx, func(tx *stm.Tx) (pair [2]string, err error) {
		if pair[0], err = left.Take(tx); err != nil {
			return pair, err
		}
		pair[1], err = right.Take(tx) // if it waits, ann is back in her line
		return pair, err
	})
	fmt.Println(pair, err)

	jobs, budget := stm.NewVar([]int{30, 5}), stm.NewVar(10)
	cost, err := stm.Query(ctx, func(tx *stm.Tx) int {
		all, left := jobs.Get(tx), budget.Get(tx)
		i := slices.IndexFunc(all, func(cost int) bool { return cost <= left })
		tx.Check(i >= 0) // until a job comes that fits, or the budget grows
		jobs.Set(tx, slices.Delete(slices.Clone(all), i, i+1))
		budget.Set(tx, left-all[i])
		return all[i]
	})
	fmt.Println(cost, err, jobs.Load(ctx), budget.Load(ctx))
	// Output:
	// [ann bob] <nil>
	// 5 <nil> [30] 5
}

// Closing wakes all who wait, says why, and may be done twice. What was put before is still taken.
func Example_fromChannelsClose() {
	ctx := context.Background()
	l := newLine("last")
	closing := func(tx *stm.Tx) error { l.closed.Set(tx, true); return nil }
	fmt.Println(stm.Do(ctx, closing), stm.Do(ctx, closing))
	for range 2 {
		item, err := stm.Atomically(ctx, l.Take)
		fmt.Printf("%q %v\n", item, err)
	}
	fmt.Println(stm.Do(ctx, func(tx *stm.Tx) error { return l.Put(tx, "late") }))
	// Output:
	// <nil> <nil>
	// "last" <nil>
	// "" closed
	// closed
}

var errLate = errors.New("too late")

func takeWithin(ctx context.Context, l line, limit time.Duration) (string, error) {
	timeout := env.NewTimer(ctx, limit)
	defer timeout.Stop()
	return stm.Atomically(ctx, func(tx *stm.Tx) (string, error) {
		return stm.Select(tx, l.Take, func(tx *stm.Tx) (string, error) {
			tx.Check(timeout.Fired(tx))
			return "", errLate
		})
	})
}

// A timer is one more thing to wait for; simulated, an hour passes at once.
func Example_fromChannelsTimeout() {
	report := sim.Run(1, func(ctx context.Context) error {
		begun := env.Now(ctx)
		_, err := takeWithin(ctx, newLine(), time.Hour)
		fmt.Println(err, env.Now(ctx).Sub(begun))
		return nil
	})
	fmt.Println(report.Err)
	// Output:
	// too late 1h0m0s
	// <nil>
}

// request is answered by whoever takes it.
type request struct {
	question string
	answer   *stm.Var[string]
}

func ask(ctx context.Context, requests *queue.Queue[request], question string) (string, error) {
	r := request{question, stm.NewVar("")}
	if _, err := prop.Send(ctx, requests, r); err != nil { // committed: now others can see it
		return "", err
	}
	return stm.Query(ctx, func(tx *stm.Tx) string {
		answer := r.answer.Get(tx)
		tx.Check(answer != "")
		return answer
	})
}

// Sending a request and waiting for its answer are two transactions.
func Example_fromChannelsRequest() {
	ctx := context.Background()
	requests := queue.FIFO(4, queue.Wait[request]())
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = stm.Do(ctx, func(tx *stm.Tx) error {
			r, err := requests.Take(tx)
			if err == nil {
				r.answer.Set(tx, r.question+"? yes")
			}
			return err
		})
	})
	fmt.Println(ask(ctx, requests, "ready"))
	wg.Wait()
	// Output: ready? yes <nil>
}

// A Var holds the newest value, a queue holds each of them.
func Example_fromChannelsLatest() {
	ctx := context.Background()
	progress := stm.NewVar(0)
	each := queue.FIFO(8, queue.Wait[int]())
	report := func(n int) {
		_ = stm.Do(ctx, func(tx *stm.Tx) error {
			progress.Set(tx, n)
			_, err := each.Put(tx, n)
			return err
		})
	}
	for n := range 3 {
		report(n + 1)
	}
	for n, err := range stm.Watch(ctx, progress.Get) {
		fmt.Println("at", n, err)
		break
	}
	for range 3 {
		n, err := prop.Recv(ctx, each)
		fmt.Println("passed", n, err)
	}
	// Output:
	// at 3 <nil>
	// passed 1 <nil>
	// passed 2 <nil>
	// passed 3 <nil>
}
