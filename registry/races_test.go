package registry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
)

// thing is a resource that sees how it is treated.
type thing struct{ opened, closing, closed int }

func (x *thing) acquire(s *registry.Scope) (*registry.Handle[*thing], error) {
	return registry.Acquire(s, "thing", func(ctx context.Context) (*thing, error) {
		err := steps(ctx, 2)
		x.opened++
		return x, err
	}, func(ctx context.Context, x *thing) error {
		x.closing++
		err := steps(ctx, 2)
		x.closing--
		x.closed++
		return err
	})
}

// over says what is wrong unless x was closed as often as opened.
func (x *thing) over(when string) error {
	if x.closing != 0 || x.closed != x.opened {
		return fmt.Errorf("%s: opened %d, closed %d, in release %d", when, x.opened, x.closed, x.closing)
	}
	return nil
}

// only is err without what one of the others is.
func only(err error, others ...error) error {
	for _, o := range others {
		if errors.Is(err, o) {
			return nil
		}
	}
	return err
}

func unless(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

type simulation = func(ctx context.Context) error

// Two tasks release, and the scope does if its body fails.
func releases(fails error) simulation {
	return func(ctx context.Context) error {
		var x thing
		var wrong error
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			h, err := x.acquire(s)
			if err != nil {
				return err
			}
			for range 2 {
				s.Go("releasing", func(ctx context.Context) error {
					if err := errors.Join(step(ctx), h.Release(ctx)); err != nil {
						return err
					}
					wrong = errors.Join(wrong, x.over("after a release"))
					return nil
				})
			}
			return errors.Join(steps(ctx, 2), fails)
		})
		return errors.Join(wrong, x.over("at the end"), unless(errors.Is(err, fails), "got %v", err))
	}
}

// A task of a scope, which may end meanwhile, gives a resource to the one above.
func moveUp(fails error) simulation {
	return func(ctx context.Context) error {
		var x thing
		var moved error
		err := registry.Run(ctx, func(ctx context.Context, outer *registry.Scope) error {
			err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				h, err := x.acquire(s)
				if err != nil {
					return err
				}
				s.Go("moving", func(ctx context.Context) error {
					moved = errors.Join(steps(ctx, 4), h.Move(outer))
					return nil
				})
				return errors.Join(steps(ctx, 5), fails)
			})
			if !errors.Is(err, fails) {
				return err
			}
			if moved == nil {
				return unless(x.closed == 0, "closed by whom it was moved from")
			}
			return errors.Join(x.over("not moved"), unless(errors.Is(moved, registry.ErrReleased), "%v", moved))
		})
		return errors.Join(err, x.over("at the end"))
	}
}

// A resource is given to a scope that may be closing, or over.
func moveAside(ctx context.Context) error {
	var x thing
	var to *registry.Scope
	var moved bool
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		s.Go("to", func(ctx context.Context) error {
			err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				to = s
				return steps(ctx, 3)
			})
			return errors.Join(err, unless(!moved || x.closed == 1, "over without what was moved to it"))
		})
		s.Go("from", func(ctx context.Context) error {
			err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				h, err := x.acquire(s)
				if to == nil || err != nil {
					return err
				}
				var closed *registry.ClosedError
				if err = h.Move(to); errors.As(err, &closed) {
					return unless(x.closing+x.closed == 0, "closed by nobody who owns it")
				}
				moved = err == nil
				return err
			})
			return errors.Join(err, unless(moved || x.closed == 1, "over without what was not moved"))
		})
		return nil
	})
	return errors.Join(err, x.over("at the end"))
}

// Resources are acquired while the scope fails.
func acquireLate(ctx context.Context) error {
	var x thing
	var wrong error
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		s.Go("failing", func(ctx context.Context) error { return errors.Join(steps(ctx, 4), errBoom) })
		for range 3 {
			was := x.closed
			if _, err := x.acquire(s); err != nil {
				var closed *registry.ClosedError
				wrong = errors.Join(wrong, unless(errors.As(err, &closed), "%v", err), unless(x.opened-x.closed <= 2 && x.closed >= was, "lost"))
			}
		}
		return step(ctx)
	})
	return errors.Join(wrong, x.over("at the end"), unless(err.Error() == "failing: boom", "got %v", err))
}

// Tasks are started while the scope fails: each runs or is refused.
func goLate(ctx context.Context) error {
	ran := 0
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		s.Go("failing", func(ctx context.Context) error { return errors.Join(step(ctx), errBoom) })
		for range 3 {
			err := step(ctx)
			s.Go("late", func(ctx context.Context) error { ran++; return err })
		}
		return nil
	})
	refused := 0
	var closed *registry.ClosedError
	if errors.As(err, &closed) {
		refused = closed.Refused
	}
	return errors.Join(only(err, errBoom), unless(ran+refused == 3, "%d ran and %d were refused", ran, refused))
}

// While Run waits a task starts another, and a third ends.
func goOn(ctx context.Context) error {
	ran := 0
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		s.Go("starting", func(ctx context.Context) error {
			err := steps(ctx, 3)
			s.Go("started", func(ctx context.Context) error { ran++; return steps(ctx, 3) })
			return err
		})
		s.Go("other", func(ctx context.Context) error { ran++; return steps(ctx, 4) })
		return nil
	})
	return errors.Join(err, unless(ran == 2, "%d ran", ran))
}

// A daemon gets ready while its client's context ends.
func daemonReady(ctx context.Context) error {
	running := false
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		short, cancel := env.WithCancelCause(ctx)
		s.Go("cancelling", func(ctx context.Context) error { err := step(ctx); cancel(errOther); return err })
		err := s.Daemon(short, "serving", func(ctx context.Context, ready func()) error {
			running = true
			defer func() { running = false }()
			err := steps(ctx, 2)
			ready()
			return errors.Join(never(ctx), err)
		})
		if err != nil {
			return unless(errors.Is(err, errOther), "%v", err)
		}
		s.Go("client", func(ctx context.Context) error {
			err := steps(ctx, 2)
			return errors.Join(err, unless(running, "stopped before its client"))
		})
		return nil
	})
	return errors.Join(err, unless(!running, "outlived Run"))
}

// A daemon that may end before it is ready, and fail.
func daemonFails(ctx context.Context) error {
	var got error
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		var early func()
		s.Go("hasty", func(ctx context.Context) error {
			if err := steps(ctx, 3); err != nil {
				return err
			}
			if early != nil {
				early()
			}
			return nil
		})
		got = s.Daemon(ctx, "serving", func(ctx context.Context, ready func()) error {
			early = ready
			return errors.Join(steps(ctx, 4), errBoom)
		})
		return nil
	})
	return unless(errors.Is(got, errBoom) != errors.Is(err, errBoom), "Daemon gave %v, Run %v: one of them has it", got, err)
}

// A fork ends and is cancelled.
func forkCancelled(ctx context.Context) error {
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		f := registry.Fork(s, "seven", func(ctx context.Context) (int, error) {
			if err := steps(ctx, 4); ctx.Err() != nil {
				return 0, errors.Join(err, context.Cause(ctx))
			}
			return 7, nil
		})
		s.Go("cancelling", func(ctx context.Context) error { err := steps(ctx, 3); f.Cancel(errOther); return err })
		v, err := f.Wait(ctx)
		return unless(v == 7 && err == nil || v == 0 && errors.Is(err, errOther), "%v, %v", v, err)
	})
}

// The grace ends when the task does: its failure is told once, by this Run or by the one above.
func graceEnds(ctx context.Context) error {
	ended, stuck, told := false, false, 0
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("slow", func(ctx context.Context) error {
				err := env.Sleep(context.WithoutCancel(ctx), 5)
				ended = true
				return errors.Join(err, errOther)
			})
			return errBoom
		}, registry.WithGrace(5))
		var left *registry.StuckError
		if stuck = errors.As(err, &left); !stuck && !ended {
			return errors.New("neither ended nor stuck")
		}
		if errors.Is(err, errOther) {
			told++
		}
		return only(err, errBoom)
	})
	if errors.Is(err, errOther) {
		told++
	}
	return errors.Join(only(err, errOther), unless(ended && told == 1, "ended %v, told %d times, stuck %v", ended, told, stuck))
}

// A supervised daemon fails and the scope closes: no two runs of it at once, and none after.
func supervised(ctx context.Context) error {
	running, runs := 0, 0
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		registry.Supervise(s, "failing", registry.Restart{Max: 9, BackoffMin: 1}, func(ctx context.Context) error {
			running++
			defer func() { running-- }()
			runs++
			return errors.Join(unless(running == 1, "twice at once"), step(ctx), errBoom)
		})
		return steps(ctx, 8)
	})
	return errors.Join(only(err, errBoom), unless(running == 0 && runs <= 10, "%d running of %d", running, runs))
}

// A cancellation from outside comes at every point, into scopes in scopes.
func cancelledOutside(ctx context.Context) error {
	ctx, cancel := env.WithCancelCause(ctx)
	var outer, inner thing
	return registry.Run(context.WithoutCancel(ctx), func(_ context.Context, s *registry.Scope) error {
		s.Go("cancelling", func(ctx context.Context) error { err := step(ctx); cancel(errOther); return err })
		s.Go("cancelled", func(context.Context) error {
			err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				if _, err := outer.acquire(s); err != nil {
					return err
				}
				s.Go("nested", func(ctx context.Context) error {
					defer func() {
						if outer.closing+outer.closed > 0 && ctx.Err() == nil {
							panic("an older resource is released before its user ends")
						}
					}()
					return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
						_, err := inner.acquire(s)
						return errors.Join(err, step(ctx), ctx.Err())
					})
				})
				return nil
			})
			var closed *registry.ClosedError
			return errors.Join(only(err, errOther, context.Canceled), outer.over("outer"), inner.over("inner"), unless(!errors.As(err, &closed) || errors.Is(err, errOther), "%v", err))
		})
		return nil
	})
}

func TestRacesUnderEverySchedule(t *testing.T) {
	every(t, long.N(6, 10), map[string]simulation{
		"two releases":             releases(nil),
		"two releases and a close": releases(errBoom),
		"move up":                  moveUp(nil),
		"move up out of a failure": moveUp(errBoom),
		"move aside":               moveAside,
		"acquire late":             acquireLate,
		"start late":               goLate,
		"start while Run waits":    goOn,
		"daemon ready or given up": daemonReady,
		"daemon ready or failed":   daemonFails,
		"fork done or cancelled":   forkCancelled,
		"grace over or task ended": graceEnds,
		"restarted or stopped":     supervised,
		"cancelled from outside":   cancelledOutside,
	})
}

// Every fault at every step of the scenario, and besides the end of the outer context at every other.
func TestFaultAtEveryStepUnderSchedules(t *testing.T) {
	plain := &lab{}
	if err := plain.run(context.Background()); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, site := range plain.sites {
		for _, f := range []fault{returnsError, panics, cancels} {
			for _, cancelled := range []bool{false, true} {
				runs, err := everySchedule(long.N(1, 2), func(ctx context.Context) error {
					return (&lab{site: site, fault: f, cancelled: cancelled}).run(ctx)
				})
				total += runs
				if err != nil {
					t.Errorf("%s at %s, cancelled besides: %v: %v", f, site, cancelled, err)
				}
			}
		}
	}
	t.Logf("%d runs", total)
}
