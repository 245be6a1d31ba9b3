package stm

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/sim"
)

// parked starts a goroutine that waits for cond over vs and counts its runs.
func parked(wg *sync.WaitGroup, cond func(tx *Tx) bool) (runs *atomic.Int32) {
	runs = new(atomic.Int32)
	wg.Go(func() {
		_ = Do(bg, func(tx *Tx) error {
			runs.Add(1)
			tx.Check(cond(tx))
			return nil
		})
	})
	return runs
}

// Wake-ups are precise: a run for each change of something read, none for anything else.
func TestWakeCounts(t *testing.T) {
	a, b, other := NewVar(0), NewVar(0), NewVar(0)
	var wg sync.WaitGroup
	onA := parked(&wg, func(tx *Tx) bool { return a.Get(tx) >= 3 })
	onBoth := parked(&wg, func(tx *Tx) bool { return a.Get(tx)+b.Get(tx)+a.Get(tx) >= 100 })
	onB := parked(&wg, func(tx *Tx) bool { return b.Get(tx) >= 2 })
	awaitWaiting(a, 2)
	awaitWaiting(b, 2)
	counts := func() []int32 { return []int32{onA.Load(), onBoth.Load()} }
	for range 100 {
		set(t, other, 1)
	}
	require.Equal(t, []int32{1, 1}, counts(), "a write to an unrelated Var wakes nobody")
	require.ErrorIs(t, Do(bg, func(tx *Tx) error { a.Set(tx, 50); return errBoom }), errBoom)
	require.NoError(t, Do(bg, func(tx *Tx) error { a.Get(tx); b.Get(tx); return nil }))
	require.Equal(t, []int32{1, 1}, counts(), "a rollback or a read wakes nobody")
	set(t, b, 1)
	awaitWaiting(b, 2)
	require.Equal(t, []int32{1, 2}, counts())
	set(t, a, 1)
	awaitWaiting(a, 2)
	require.Equal(t, []int32{2, 3}, counts())
	require.NoError(t, Do(bg, func(tx *Tx) error { a.Set(tx, 2); b.Set(tx, 2); other.Set(tx, 2); return nil }))
	awaitWaiting(a, 2)
	awaitWaiting(b, 1)
	require.Equal(t, []int32{3, 4}, counts(), "one commit wakes once, whatever it wrote")
	require.EqualValues(t, 3, onB.Load())
	set(t, a, 50)
	wg.Wait()
	require.Equal(t, []int32{4, 5}, counts())
	requireQuiet(t, a, b, other)
}

// A wait covers what every alternative has read, the ones that were undone too.
func TestWaitOnBothAlternatives(t *testing.T) {
	for _, wakeLeft := range []bool{true, false} {
		left, right := NewVar(false), NewVar(false)
		var wg sync.WaitGroup
		got := ""
		wg.Go(func() {
			got, _ = Query(bg, func(tx *Tx) string {
				return OrElse(tx,
					func(tx *Tx) string { tx.Check(left.Get(tx)); return "left" },
					func(tx *Tx) string {
						s, _ := Select(tx, func(tx *Tx) (string, error) {
							if !right.Get(tx) {
								return "", ErrRetry
							}
							return "right", nil
						})
						return s
					})
			})
		})
		awaitWaiting(left, 1)
		awaitWaiting(right, 1)
		if wakeLeft {
			set(t, left, true)
		} else {
			set(t, right, true)
		}
		wg.Wait()
		require.Equal(t, map[bool]string{true: "left", false: "right"}[wakeLeft], got)
		requireQuiet(t, left, right)
	}
}

// One commit wakes in an order that is its own: Vars as first written, waiters of a Var as registered, each once.
func TestWakeOrder(t *testing.T) {
	for seed := range uint64(20) {
		var order []string
		r := sim.Run(seed, func(ctx context.Context) error {
			w := seam.From(ctx)
			vs := make([]*Var[int], 3)
			for i := range vs {
				vs[i] = NewVar(0).Label(fmt.Sprint("v", i))
			}
			waits := [][]int{{0}, {1}, {2}, {0, 1}, {2, 0}, {1}, {2, 1, 0}}
			want := make([][]string, 3)
			var joins []func()
			for i, on := range waits {
				name := fmt.Sprint("w", i)
				joins = append(joins, w.Spawn(name, func() {
					_ = Do(ctx, func(tx *Tx) error {
						ready := true
						for _, v := range on {
							ready = vs[v].Get(tx) > 0 && ready
						}
						if !ready {
							for _, v := range on {
								want[v] = append(want[v], name)
							}
							return ErrRetry
						}
						return nil
					})
				}))
			}
			all := NewVar(0)
			for all.Load(ctx) == 0 { // until all are parked
				if len(want[0])+len(want[1])+len(want[2]) == 11 {
					break
				}
			}
			seen := map[string]bool{}
			for _, v := range []int{2, 0, 1} {
				for _, n := range want[v] {
					if !seen[n] {
						seen[n] = true
						order = append(order, n)
					}
				}
			}
			err := Do(ctx, func(tx *Tx) error {
				for _, v := range []int{2, 0, 2, 1} {
					vs[v].Update(tx, func(n int) int { return n + 1 })
				}
				return nil
			})
			for _, j := range joins {
				j()
			}
			return err
		}, sim.Record())
		require.NoError(t, r.Err)
		line := ""
		for _, l := range r.Trace {
			if strings.Contains(l, "writes v2 v0 v1") {
				line = l
			}
		}
		require.Contains(t, line, "wakes "+strings.Join(order, " wakes "), "seed %d", seed)
		require.Equal(t, len(order), strings.Count(line, "wakes"), "each once")
	}
}

// A commit that comes between a run and its registration ends the wait before it has begun.
func TestRetrySeesWhatCameBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a lost wake-up is a deadlock, and the bubble says so
		v, runs := NewVar(0), 0
		require.NoError(t, Do(bg, func(tx *Tx) error {
			n := v.Get(tx)
			if runs++; runs == 1 {
				provoke(t, v)
			}
			tx.Check(n > 0)
			return nil
		}))
		require.Equal(t, 2, runs)
		requireQuiet(t, v)
	})
}

// Ping-pong loses no wake-up: a waiter registers first and looks again second, a committer the other way round.
func TestNoLostWakeUp(t *testing.T) {
	turn := NewVar(0)
	const rounds, players = 20_000, 3
	var wg sync.WaitGroup
	for me := range players {
		wg.Go(func() {
			for range rounds {
				_ = Do(bg, func(tx *Tx) error {
					if n := turn.Get(tx); n%players != me {
						return ErrRetry
					}
					turn.Update(tx, func(n int) int { return n + 1 })
					return nil
				})
			}
		})
	}
	wg.Wait()
	require.Equal(t, rounds*players, turn.Load(bg))
	requireQuiet(t, turn)
}

func TestWatchNeverMissesTheLast(t *testing.T) {
	v := NewVar(0)
	const last = 5_000
	var wg sync.WaitGroup
	var seen []int
	wg.Go(func() {
		for x, err := range Watch(bg, v.Get) {
			if err != nil || len(seen) > 0 && seen[len(seen)-1] >= x {
				t.Errorf("%d %v after %v", x, err, seen)
			}
			seen = append(seen, x)
			if x == last {
				return
			}
		}
	})
	for i := range last {
		set(t, v, i+1)
		set(t, v, i+1) // an equal value is no new one
	}
	wg.Wait()
	require.Equal(t, last, seen[len(seen)-1])
	requireQuiet(t, v)
}

// What changes while the loop is busy is seen, though nothing changes later.
func TestWatchWhileBusy(t *testing.T) {
	v := NewVar(0)
	var seen []int
	for x, err := range Watch(bg, v.Get) {
		require.NoError(t, err)
		if seen = append(seen, x); x == 7 {
			break
		}
		set(t, v, 5)
		set(t, v, 7)
	}
	require.Equal(t, []int{0, 7}, seen)
	requireQuiet(t, v)
}

// A wait on many Vars, each read several times, registers once with each.
func TestWaitOnManyVars(t *testing.T) {
	vs := make([]*Var[int], 100)
	for i := range vs {
		vs[i] = NewVar(0)
	}
	var wg sync.WaitGroup
	runs := parked(&wg, func(tx *Tx) bool {
		sum := 0
		for range 3 {
			for _, v := range vs {
				sum += v.Get(tx)
			}
		}
		return sum > 0
	})
	for _, v := range vs {
		awaitWaiting(v, 1)
	}
	require.NoError(t, Do(bg, func(tx *Tx) error {
		for i := range vs { // against the order of addresses
			vs[len(vs)-1-i].Set(tx, i)
		}
		return nil
	}))
	wg.Wait()
	require.EqualValues(t, 2, runs.Load())
	requireQuiet(t, vs...)
}

// A commit between Poll's run and its registration is not lost.
func TestPollSeesWhatCameBetween(t *testing.T) {
	v, runs := NewVar(0), 0
	n, w, err := Poll(bg, func(tx *Tx) int {
		n := v.Get(tx)
		if runs++; runs == 1 {
			set(t, v, 7)
		}
		tx.Check(n > 0)
		return n
	})
	require.NoError(t, err)
	require.Nil(t, w)
	require.Equal(t, []int{7, 2}, []int{n, runs})
}

func TestPoll(t *testing.T) {
	a, b := NewVar(0), NewVar(0)
	q := func(tx *Tx) int {
		tx.Check(a.Get(tx)+b.Get(tx)+a.Get(tx) > 1)
		return a.Get(tx)
	}
	_, w, err := Poll(bg, q)
	require.NoError(t, err)
	select {
	case <-w.C():
		t.Fatal("nothing has changed")
	default:
	}
	require.NoError(t, Do(bg, func(tx *Tx) error { a.Set(tx, 5); b.Set(tx, 1); return nil }))
	<-w.C()
	w.Stop()
	w.Stop()
	n, w, err := Poll(bg, q)
	require.NoError(t, err)
	require.Nil(t, w)
	require.Equal(t, 5, n)
	set(t, a, 0)
	_, w, err = Poll(bg, q)
	require.NoError(t, err)
	w.Stop()
	set(t, a, 9)
	select {
	case <-w.C():
		t.Fatal("stopped")
	default:
	}
	requireQuiet(t, a, b)
	r := sim.Run(1, func(ctx context.Context) error { _, _, err := Poll(ctx, a.Get); return err })
	require.ErrorIs(t, r.Err, ErrSimulated)
}

// A waiter is woken by the next commit.
func TestRetryIsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a lost wake-up is a deadlock, and the bubble says so
		v := NewVar(0)
		var wg sync.WaitGroup
		runs := parked(&wg, func(tx *Tx) bool { return v.Get(tx) > 0 })
		synctest.Wait()
		set(t, v, 1)
		wg.Wait()
		require.EqualValues(t, 2, runs.Load())
		requireQuiet(t, v)
	})
}

// A commit wakes who has not seen it; those who have wait for the next one.
func TestWakeSparesNewcomers(t *testing.T) {
	v := NewVar(0)
	before, after := &wait{ch: make(chan struct{})}, &wait{ch: make(chan struct{})}
	l := v.c.lock.Load()
	old, young := node{w: before, c: &v.c, seen: l}, node{w: after, c: &v.c, seen: l + tick}
	require.True(t, old.add())
	v.c.lock.Store(l + tick) // a commit has published, and has not yet come to wake
	require.True(t, young.add())
	v.c.more().wake(l + tick)
	require.Equal(t, []bool{true, false}, []bool{before.fired, after.fired})
	young.remove()
	requireQuiet(t, v)
}

// A waiter that comes while a committer holds the Var waits for the outcome.
func TestWaitMeetsCommit(t *testing.T) {
	v := NewVar(0)
	var wg sync.WaitGroup
	l := v.c.lock.Load()
	v.c.lock.Store(l | lockBit)
	n := node{w: &wait{ch: make(chan struct{})}, c: &v.c, seen: l}
	var waits bool
	wg.Go(func() { waits = n.add() })
	for range 100 {
		runtime.Gosched()
	}
	v.c.lock.Store(l + tick)
	wg.Wait()
	require.False(t, waits, "what the committer has written shows")
	requireQuiet(t, v)
}
