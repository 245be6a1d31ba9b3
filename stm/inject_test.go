package stm

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A transaction meets code that is not the engine's at many points: at every operation of its body, in its hooks, and
// whenever the engine asks its context. The tests of this file let something happen at each of these points in turn, in
// each phase of a transaction's life, and then look whether it has taken place wholly or not at all, and whether anything
// is left behind.

// mishap is what happens at a point. cancel ends the transaction's context.
type mishap struct {
	name string
	at   func(cancel context.CancelCauseFunc)
	ends bool // the goroutine does not come back from it
}

var mishaps = []mishap{
	{"panic", func(context.CancelCauseFunc) { panic(errBoom) }, true},
	{"Goexit", func(context.CancelCauseFunc) { runtime.Goexit() }, true},
	{"cancel", func(cancel context.CancelCauseFunc) { cancel(errBoom) }, false},
	{"cancel and panic", func(cancel context.CancelCauseFunc) { cancel(errBoom); panic(errBoom) }, true},
}

// points counts the points that a goroutine passes and lets the mishap happen at one of them.
type points struct {
	at     int // the one to strike at
	passed int
	struck bool
	strike func()
}

func (p *points) pass() {
	if p.passed++; p.passed == p.at {
		p.struck = true
		p.strike()
	}
}

// spy is a context whose every method is a point. The standard library asks it too, when it derives from it; so nothing
// here does.
type spy struct {
	context.Context
	*points
}

func (s spy) Done() <-chan struct{}       { s.pass(); return s.Context.Done() }
func (s spy) Err() error                  { s.pass(); return s.Context.Err() }
func (s spy) Value(k any) any             { s.pass(); return s.Context.Value(k) }
func (s spy) Deadline() (time.Time, bool) { s.pass(); return s.Context.Deadline() }

// scene is the memory of one trial: in every moment left == right, and out is what a commit has written.
type scene struct {
	left, right, out, gate *Var[int]
	hooks                  int
}

func newScene() *scene { return &scene{NewVar(1), NewVar(1), NewVar(0), NewVar(0), 0} }

func (s *scene) quiet(t testing.TB) { requireQuiet(t, s.left, s.right, s.out, s.gate) }

// disturb moves left and right.
func (s *scene) disturb(ctx context.Context) error {
	return Do(ctx, func(tx *Tx) error { _ = add(s.left, 1)(tx); return add(s.right, 1)(tx) })
}

// body is a transaction with every kind of operation, and a point after each.
func (s *scene) body(tx *Tx, pass func()) (int, error) {
	pass()
	sum := s.left.Get(tx)
	pass()
	s.out.Set(tx, -1)
	pass()
	err := Try(tx, func(tx *Tx) error {
		s.out.Set(tx, -2)
		pass()
		s.right.Set(tx, -2)
		tx.OnCommit(func() { panic("an undone hook") })
		pass()
		return errUndone
	})
	if isRetry(err) {
		return 0, err
	}
	pass()
	right := OrElse(tx, func(tx *Tx) int { s.out.Set(tx, -3); pass(); return Retry[int](tx) }, func(tx *Tx) int {
		pass()
		return s.right.Get(tx)
	})
	if right != sum {
		panic("a run saw two moments")
	}
	pass()
	tx.OnCommit(func() { s.hooks++; pass() })
	got, err := Select(tx,
		func(tx *Tx) (int, error) { s.gate.Set(tx, 7); pass(); return 0, ErrRetry },
		func(tx *Tx) (int, error) {
			defer pass()
			return sum + 100, Try(tx, func(tx *Tx) error { pass(); return nil })
		})
	if err != nil {
		return 0, err
	}
	s.out.Set(tx, got)
	pass()
	return got, nil
}

var errUndone = errors.New("undone")

// life is a way to run the body. alone says that nobody need open the gate.
type life struct {
	name string
	run  func(s *scene, ctx context.Context, pass func()) error
}

var lives = []life{
	{"the first run", func(s *scene, ctx context.Context, pass func()) error {
		_, err := Atomically(ctx, func(tx *Tx) (int, error) { return s.body(tx, pass) })
		return err
	}},
	{"a rerun", func(s *scene, ctx context.Context, pass func()) error { return s.after(ctx, 1, pass) }},
	{"a reserving run", func(s *scene, ctx context.Context, pass func()) error { return s.after(ctx, escalateAfter, pass) }},
	{"after a wait", func(s *scene, ctx context.Context, pass func()) error {
		return Do(ctx, func(tx *Tx) error {
			pass()
			tx.Check(s.gate.Get(tx) > 0)
			_, err := s.body(tx, pass)
			return err
		})
	}},
	{"a reserving run that waits", func(s *scene, ctx context.Context, pass func()) error {
		runs := 0
		return Do(ctx, func(tx *Tx) error {
			if runs++; runs <= escalateAfter {
				return s.lose(tx)
			}
			pass()
			if s.gate.Get(tx) == 0 {
				return ErrRetry
			}
			_, err := s.body(tx, pass)
			return err
		})
	}},
	{"a wait with an alarm", func(s *scene, ctx context.Context, pass func()) error {
		at := time.Now().Add(time.Hour)
		return Do(ctx, func(tx *Tx) error {
			pass()
			if tx.Now().Before(at) {
				tx.WakeAt(at)
				tx.Retry()
			}
			_, err := s.body(tx, pass)
			return err
		})
	}},
	{"a loop of Watch", func(s *scene, ctx context.Context, pass func()) error {
		for x, err := range Watch(ctx, func(tx *Tx) int { pass(); return s.gate.Get(tx) }) {
			if pass(); err != nil || x > 0 {
				return err
			}
		}
		return nil
	}},
	{"a Poll", func(s *scene, ctx context.Context, pass func()) error {
		for {
			_, w, err := Poll(ctx, func(tx *Tx) int { tx.Check(s.gate.Get(tx) > 0); x, _ := s.body(tx, pass); return x })
			if w == nil {
				return err
			}
			err = func() error {
				defer w.Stop()
				pass()
				select {
				case <-w.C():
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}()
			if err != nil {
				return err
			}
		}
	}},
}

// after loses n runs and then runs the body.
func (s *scene) after(ctx context.Context, n int, pass func()) error {
	runs := 0
	return Do(ctx, func(tx *Tx) error {
		if runs++; runs <= n {
			return s.lose(tx)
		}
		_, err := s.body(tx, pass)
		return err
	})
}

func (s *scene) lose(tx *Tx) error {
	x := s.left.Get(tx)
	if err := s.disturb(bg); err != nil {
		return err
	}
	s.out.Set(tx, x)
	return nil
}

// trial runs l with a mishap at point k, and reports whether there is such a point.
func trial(t *testing.T, l life, m mishap, k int, watchContext bool) (struck bool) {
	synctest.Test(t, func(t *testing.T) { // what waits for ever is a deadlock, and the bubble says so
		s := newScene()
		inner, cancel := context.WithCancelCause(bg)
		defer cancel(nil)
		p := &points{at: k, strike: func() { m.at(cancel) }}
		ctx, inBody := context.Context(inner), p.pass
		if watchContext {
			ctx, inBody = spy{inner, p}, func() {}
		}
		var err error
		var r any
		returned := false
		var over atomic.Bool
		var wg sync.WaitGroup
		wg.Go(func() {
			defer func() {
				over.Store(true)
				if r = recover(); r != nil && r != errBoom {
					panic(r)
				}
			}()
			err = l.run(s, ctx, inBody)
			returned = true
		})
		synctest.Wait()
		if over.Load() { // before a commit would clear up after it
			s.quiet(t)
		}
		set(t, s.gate, 1)
		<-time.NewTimer(2 * time.Hour).C // of the bubble: for the alarm
		wg.Wait()
		struck = p.struck
		s.judge(t, fmt.Sprintf("%s, %s at point %d", l.name, m.name, k), err, returned)
		require.Equal(t, struck && m.ends, !returned)
	})
	return struck
}

// judge looks at the end of a trial: the transaction has taken place wholly, or not at all.
func (s *scene) judge(t *testing.T, what string, err error, returned bool) {
	s.quiet(t)
	left, right, out := s.left.Load(bg), s.right.Load(bg), s.out.Load(bg)
	require.Equal(t, left, right, what)
	require.Equal(t, 1, s.gate.Load(bg), what)
	require.Contains(t, []int{0, left + 100}, out, what)
	switch {
	case returned && err == nil:
	case returned:
		require.ErrorIs(t, err, context.Canceled, what)
		require.Zero(t, out, "%s: %v", what, err)
	case out != 0: // it has ended in a hook, after its commit
		require.Equal(t, 1, s.hooks, what)
	}
	require.NoError(t, s.disturb(bg), "%s: the Vars can be used", what)
}

func TestMishapAtEveryPointOfTheBody(t *testing.T) {
	for _, l := range lives {
		t.Run(l.name, func(t *testing.T) {
			total := 0
			for _, m := range mishaps {
				k := 1
				for trial(t, l, m, k, false) {
					k++
				}
				total += k - 1
			}
			require.Greater(t, total, 8)
		})
	}
}

// A context is a user's type. Whatever its methods do, and whenever, nothing is left behind.
func TestMishapAtEveryLookAtTheContext(t *testing.T) {
	for _, l := range lives {
		t.Run(l.name, func(t *testing.T) {
			for _, m := range mishaps {
				for k := 1; trial(t, l, m, k, true); k++ {
				}
			}
		})
	}
}
