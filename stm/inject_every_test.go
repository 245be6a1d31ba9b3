package stm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Between any two statements of the engine another goroutine may commit, cancel or come to wait. Here it does, once at
// every statement that a transaction passes.

// event is what another goroutine does at a statement. With opens the subject need not be woken by anybody else.
type event struct {
	name  string
	do    func(s *scene, cancel context.CancelCauseFunc)
	opens bool
}

var events = []event{
	{"a conflict", func(s *scene, _ context.CancelCauseFunc) { _ = s.disturb(bg) }, false},
	{"a wake-up", func(s *scene, _ context.CancelCauseFunc) {
		_ = Do(bg, func(tx *Tx) error { s.gate.Set(tx, 1); return nil })
	}, true},
	{"a cancellation", func(_ *scene, cancel context.CancelCauseFunc) { cancel(errBoom) }, true},
	{"all three", func(s *scene, cancel context.CancelCauseFunc) {
		_ = Do(bg, func(tx *Tx) error { s.gate.Set(tx, 1); _ = add(s.left, 1)(tx); return add(s.right, 1)(tx) })
		cancel(errBoom)
	}, true},
	{"another waiter", func(s *scene, _ context.CancelCauseFunc) {
		ctx, cancel := context.WithCancelCause(bg)
		var wg sync.WaitGroup
		wg.Go(func() { _ = Do(ctx, func(tx *Tx) error { s.left.Get(tx); tx.Check(s.gate.Get(tx) > 0); return nil }) })
		runtime.Gosched()
		cancel(errBoom)
		wg.Wait()
	}, false},
}

// subject are the lives that the events are to meet: all of a transaction, and a committer that wakes a waiter.
func subjects() []life {
	return append(lives, life{"a commit that wakes", func(s *scene, ctx context.Context, _ func()) error {
		err := Do(bg, func(tx *Tx) error { s.gate.Set(tx, 1); return nil })
		_, _ = Query(bg, func(tx *Tx) int { tx.Check(s.gate.Get(tx) > 0); return 0 })
		return err
	}}, life{"a large commit", func(s *scene, ctx context.Context, pass func()) error {
		return Do(ctx, func(tx *Tx) error {
			for range 2 * indexAbove {
				NewVar(0).Set(tx, 1)
			}
			_, err := s.body(tx, pass)
			return err
		})
	}})
}

// goroutine is the id of the running goroutine.
func goroutine() string {
	var buf [40]byte
	id, _, _ := bytes.Cut(buf[len("goroutine "):runtime.Stack(buf[:], false)], []byte(" "))
	return string(id)
}

// interpose runs l once. At the statement site of the engine, when the subject first passes it, e takes place on another
// goroutine, if that can go on while the subject stands still. A site below 0 only records what the subject passes.
func interpose(t *testing.T, l life, e event, site int) (seen map[int]bool) {
	seen = map[int]bool{}
	synctest.Test(t, func(t *testing.T) {
		s := newScene()
		ctx, cancel := context.WithCancelCause(bg)
		defer cancel(nil)
		defer func() { onSite = nil }()
		var others sync.WaitGroup
		var err error
		var struck, over atomic.Bool
		waiter := s.waiter(ctx, &others, l)
		others.Add(1)
		go func() {
			defer others.Done()
			defer over.Store(true)
			me := goroutine()
			onSite = func(at int) {
				switch {
				case site < 0 && goroutine() == me:
					seen[at] = true
				case at == site && !struck.Load() && goroutine() == me:
					struck.Store(true)
					others.Add(1)
					var gone atomic.Bool
					go func() { defer others.Done(); e.do(s, cancel); gone.Store(true) }()
					for i := 0; i < 100 && !gone.Load(); i++ {
						runtime.Gosched()
					}
				}
			}
			err = l.run(s, ctx, func() {})
		}()
		synctest.Wait()
		what := fmt.Sprint(l.name, ", ", e.name, " at ", site)
		if struck.Load() && e.opens && l.name != "a wait with an alarm" {
			require.True(t, over.Load(), "a wake-up was lost: %s", what)
		}
		if over.Load() {
			requireQuiet(t, s.left, s.right, s.out)
		}
		set(t, s.gate, 1)
		<-time.NewTimer(2 * time.Hour).C
		others.Wait()
		s.quiet(t)
		require.True(t, waiter == nil || *waiter == nil || errors.Is(*waiter, context.Canceled), what)
		if l.name != "a commit that wakes" && l.name != "a loop of Watch" {
			s.judgeAt(t, what, err)
		}
	})
	return seen
}

// waiter starts the one that a commit is to wake.
func (s *scene) waiter(ctx context.Context, wg *sync.WaitGroup, l life) *error {
	if l.name != "a commit that wakes" {
		return nil
	}
	err := new(error)
	wg.Go(func() {
		*err = Do(ctx, func(tx *Tx) error { s.right.Get(tx); s.left.Get(tx); tx.Check(s.gate.Get(tx) > 0); return nil })
	})
	synctest.Wait()
	return err
}

// judgeAt is judge for a memory that others have changed before or after the transaction.
func (s *scene) judgeAt(t *testing.T, what string, err error) {
	left, right, out := s.left.Load(bg), s.right.Load(bg), s.out.Load(bg)
	require.Equal(t, left, right, what)
	if err != nil {
		require.ErrorIs(t, err, context.Canceled, what)
		require.Zero(t, out, what)
		return
	}
	require.Contains(t, []int{left + 100, left + 99}, out, what)
}

// TestEveryStatement is run on an instrumented engine by TestEventAtEveryStatement.
func TestEveryStatement(t *testing.T) {
	if len(sites) == 0 {
		t.Skip("TestEventAtEveryStatement runs this on an instrumented engine")
	}
	met := map[int]bool{}
	for _, l := range subjects() {
		all := interpose(t, l, events[0], -1)
		for site := range all {
			met[site] = true
			for _, e := range events {
				interpose(t, l, e, site)
				if t.Failed() {
					t.Fatalf("%s: %s at %s", l.name, e.name, sites[site])
				}
			}
		}
	}
	fmt.Printf("%d of %d statements met\n", len(met), len(sites))
}

func TestEventAtEveryStatement(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command")
	}
	if raceEnabled {
		t.Skip("the plain run does this")
	}
	out, err := runChanged(t, "TestEveryStatement", mutant{}, true)
	require.NoError(t, err, out)
	t.Log(out)
}
