package registry_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

type fault string

const (
	returnsError fault = "error"
	panics       fault = "panic"
	exits        fault = "Goexit"
	cancels      fault = "cancel" // the outer context, and goes on
)

var (
	errInjected = errors.New("injected")
	errOuter    = errors.New("outer context ended")
)

// lab is one run of the scenario with one fault at one site, and what must hold of it.
type lab struct {
	site      string
	fault     fault
	cancelled bool // besides, by a task named late
	cancel    context.CancelCauseFunc

	mu      sync.Mutex
	sites   []string // passed, when nothing is injected
	tasks   int      // running
	open    []string // in order of opening
	problem string
}

// at is a step of the scenario, where the fault may strike.
func (l *lab) at(site string) error {
	l.mu.Lock()
	l.sites = append(l.sites, site)
	l.mu.Unlock()
	if site != l.site {
		return nil
	}
	switch l.fault {
	case returnsError:
		return errInjected
	case panics:
		panic(errInjected)
	case exits:
		runtime.Goexit()
	case cancels:
		l.cancel(errOuter)
	}
	return nil
}

func (l *lab) wrong(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.problem += fmt.Sprintf(format+"\n", args...)
}

func (l *lab) task(name string, f func(ctx context.Context) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		l.mu.Lock()
		l.tasks++
		l.mu.Unlock()
		defer func() {
			l.mu.Lock()
			l.tasks--
			l.mu.Unlock()
		}()
		if err := l.at(name + ".start"); err != nil {
			return err
		}
		if err := f(ctx); err != nil {
			return err
		}
		return l.at(name + ".end")
	}
}

func (l *lab) acquire(s *registry.Scope, name string) (*registry.Handle[string], error) {
	return registry.Acquire(s, name, func(context.Context) (string, error) {
		if err := l.at("open." + name); err != nil {
			return "", err
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.open = append(l.open, name)
		return name, nil
	}, func(ctx context.Context, _ string) error {
		if ctx.Err() != nil {
			l.wrong("%s is released under a cancelled context", name)
		}
		if err := env.Sleep(ctx, time.Microsecond); err != nil {
			l.wrong("cleanup of %s: %v", name, err)
		}
		l.mu.Lock()
		if n := len(l.open); n == 0 || l.open[n-1] != name {
			l.problem += fmt.Sprintf("%s is released, open are %v\n", name, l.open)
		} else {
			l.open = l.open[:n-1]
		}
		l.mu.Unlock()
		return l.at("close." + name)
	})
}

// scenario has every kind of thing a scope can own, and passes each site once.
func (l *lab) scenario(ctx context.Context) error {
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		if err := l.at("body.start"); err != nil {
			return err
		}
		if _, err := l.acquire(s, "a"); err != nil {
			return err
		}
		serve := func(ctx context.Context, ready func()) error {
			return l.task("daemon", func(ctx context.Context) error {
				ready()
				return errors.Join(never(ctx), l.at("daemon.stopped"))
			})(ctx)
		}
		if err := s.Daemon(ctx, "daemon", serve); err != nil {
			return err
		}
		if err := l.moves(ctx, s); err != nil {
			return err
		}
		if _, err := l.acquire(s, "b"); err != nil {
			return err
		}
		s.Go("task", l.task("task", func(ctx context.Context) error { return env.Sleep(ctx, time.Millisecond) }))
		forked := registry.Fork(s, "fork", func(ctx context.Context) (int, error) {
			return 7, l.task("fork", func(ctx context.Context) error { return nil })(ctx)
		})
		s.Go("outer", l.task("outer", l.nested))
		h, err := l.acquire(s, "c")
		if err != nil {
			return err
		}
		if v, err := forked.Wait(ctx); err != nil || v != 7 {
			return errors.Join(err, l.at("forked.failed"))
		}
		if err := h.Release(ctx); err != nil {
			return err
		}
		return l.at("body.end")
	})
}

// moves opens a resource in a scope of its own and gives it to another.
func (l *lab) moves(ctx context.Context, to *registry.Scope) error {
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		h, err := l.acquire(s, "moved")
		if err != nil {
			return err
		}
		if err := l.at("before.move"); err != nil {
			return err
		}
		if err := h.Move(to); err != nil {
			return err
		}
		return l.at("after.move")
	})
}

func (l *lab) nested(ctx context.Context) error {
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		s.Go("inner", l.task("inner", func(ctx context.Context) error { return env.Sleep(ctx, time.Millisecond) }))
		done := stm.NewVar(false)
		registry.Supervise(s, "supervised", registry.Restart{Max: 1, Window: time.Hour, BackoffMin: time.Microsecond},
			l.task("supervised", func(ctx context.Context) error {
				return stm.Do(ctx, func(tx *stm.Tx) error { done.Set(tx, true); return nil })
			}))
		return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(done.Get(tx)); return nil })
	})
}

// run runs the scenario as a task, so that a Goexit or panic of its body ends that task alone.
func (l *lab) run(ctx context.Context) error {
	ctx, l.cancel = env.WithCancelCause(ctx)
	defer l.cancel(nil)
	err := registry.Run(context.WithoutCancel(ctx), func(_ context.Context, s *registry.Scope) error {
		if l.cancelled {
			s.Go(late, func(ctx context.Context) error { l.cancel(errOuter); return nil })
		}
		s.Go("scenario", func(context.Context) error {
			err := l.scenario(ctx)
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.tasks != 0 || len(l.open) != 0 {
				l.problem += fmt.Sprintf("Run returned with %d tasks, open %v\n", l.tasks, l.open)
			}
			return err
		})
		return nil
	})
	if l.problem != "" {
		return errors.New(l.problem)
	}
	return l.judge(err)
}

// judge says whether err is what the fault must give.
func (l *lab) judge(err error) error {
	ok := false
	var p *registry.PanicError
	switch {
	case l.cancelled:
		ok = err == nil || errors.Is(err, errInjected) || errors.Is(err, context.Canceled)
	case l.site == "":
		ok = err == nil
	case l.site == "supervised.end" && l.fault == returnsError:
		ok = err == nil || errors.Is(err, errInjected) // stopped before the second failure, or not
	case l.fault == returnsError:
		ok = errors.Is(err, errInjected)
	case l.fault == panics:
		ok = errors.As(err, &p) && errors.Is(err, errInjected)
	case l.fault == exits:
		ok = errors.Is(err, registry.ErrGoexit)
	case l.fault == cancels:
		ok = err == nil || errors.Is(err, context.Canceled) // nil: everything had ended anyway
	}
	if !ok {
		return fmt.Errorf("fault %s at %s gave %w", l.fault, l.site, cmpErr(err))
	}
	return nil
}

func cmpErr(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}

func TestFaultAtEveryStep(t *testing.T) {
	plain := &lab{}
	require.NoError(t, plain.run(context.Background()))
	require.Len(t, plain.sites, 24)
	for _, site := range plain.sites {
		for _, f := range []fault{returnsError, panics, exits, cancels} {
			t.Run(string(f)+" at "+site, func(t *testing.T) {
				for range 3 {
					require.NoError(t, (&lab{site: site, fault: f}).run(context.Background()))
				}
				for seed := range uint64(6) {
					r := sim.Run(seed, (&lab{site: site, fault: f}).run)
					if f == exits { // a simulation fails whatever becomes of it
						require.ErrorIs(t, r.Err, sim.ErrGoexit)
						continue
					}
					require.NoError(t, r.Err, "seed %d", seed)
				}
			})
		}
	}
}

// The outer context ends after any number of steps of the others.
func TestCancelAtEveryWait(t *testing.T) {
	for steps := range 120 {
		for seed := range uint64(4) {
			l := &lab{fault: cancels, site: "none"}
			r := sim.Run(seed, func(ctx context.Context) error {
				return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
					s.Go("canceller", func(ctx context.Context) error {
						for range steps {
							if err := env.Sleep(ctx, 0); err != nil {
								return err
							}
						}
						if l.cancel != nil {
							l.cancel(errOuter)
						}
						return nil
					})
					return l.run(ctx)
				})
			})
			require.NoError(t, r.Err, "after %d steps, seed %d", steps, seed)
		}
	}
}

// The lab is worth something only if it sees what is wrong.
func TestLabSeesWhatIsWrong(t *testing.T) {
	l := &lab{}
	require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		older, err := l.acquire(s, "older")
		require.NoError(t, err)
		_, err = l.acquire(s, "younger")
		require.NoError(t, err)
		return older.Release(ctx)
	}))
	require.Contains(t, l.problem, "older is released, open are [older younger]")
	require.Error(t, (&lab{site: "x", fault: panics}).judge(errInjected))
	require.Error(t, (&lab{site: "x", fault: exits}).judge(nil))
	require.Error(t, (&lab{}).judge(errBoom))
}
