package registry_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
)

// owner is what the rules need of a scope; the registry and its broken likenesses in broken_test.go have it.
type owner interface {
	Go(name string, f func(context.Context) error)
	Acquire(name string, close func(context.Context) error) (release func() error, err error)
}

type runner func(ctx context.Context, body func(context.Context, owner) error) error

type real struct{ s *registry.Scope }

func (r real) Go(name string, f func(context.Context) error) { r.s.Go(name, f) }
func (r real) Acquire(name string, close func(context.Context) error) (func() error, error) {
	h, err := registry.Acquire(r.s, name, func(context.Context) (string, error) { return name, nil },
		func(ctx context.Context, _ string) error { return close(ctx) })
	if err != nil {
		return nil, err
	}
	return func() error { return h.Release(context.Background()) }, nil
}

func runReal(ctx context.Context, body func(context.Context, owner) error) error {
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error { return body(ctx, real{s}) })
}

// history is who ended when.
type history struct {
	mu sync.Mutex
	at []string
}

func (h *history) add(s string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = append(h.at, s)
}

func (h *history) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.at, " ")
}

func (h *history) closes(name string, err error) func(context.Context) error {
	return func(context.Context) error { h.add(name); return err }
}

// cancelled waits for ctx, but not for ever, so that a scope that does not cancel is found and not waited for.
func cancelled(ctx context.Context) error {
	if err := env.Sleep(ctx, 100*time.Millisecond); err != nil {
		return err
	}
	return errors.New("was not cancelled")
}

var errOther = errors.New("other")

// rules are what every scope keeps. Each returns what is wrong.
var rules = map[string]func(run runner) error{
	"tasks have ended when Run returns": func(run runner) error {
		var h history
		err := run(context.Background(), func(ctx context.Context, s owner) error {
			s.Go("slow", func(ctx context.Context) error {
				defer h.add("slow")
				return env.Sleep(ctx, 2*time.Millisecond)
			})
			return nil
		})
		return want(h.String() == "slow" && err == nil, h.String(), err)
	},
	"tasks and resources end youngest first": func(run runner) error {
		var h history
		err := run(context.Background(), func(ctx context.Context, s owner) error {
			for _, n := range []string{"1", "3", "5"} {
				if _, err := s.Acquire(n, h.closes(n, nil)); err != nil {
					return err
				}
				i := n[0] - '0' + 1
				s.Go(fmt.Sprint(i), func(ctx context.Context) error {
					err := cancelled(ctx)
					for range 3 - i/2 {
						runtime.Gosched() // older tasks would rather end first
					}
					h.add(fmt.Sprint(i))
					return err
				})
			}
			return errBoom
		})
		at := h.String()
		ok := errors.Is(err, errBoom)
		for _, pair := range []string{"6 5", "5 3", "4 3", "3 1", "2 1"} { // tasks end when they end, but before what is older
			ok = ok && strings.Index(at, pair[:1]) < strings.Index(at, pair[2:])
		}
		return want(ok, at, err)
	},
	"a release attempts everything": func(run runner) error {
		var h history
		err := run(context.Background(), func(ctx context.Context, s owner) error {
			_, _ = s.Acquire("a", h.closes("a", errBoom))
			_, _ = s.Acquire("b", func(context.Context) error { h.add("b"); panic("b panics") })
			_, _ = s.Acquire("c", h.closes("c", errOther))
			return nil
		})
		return want(h.String() == "c b a" && errors.Is(err, errBoom) && errors.Is(err, errOther) &&
			strings.Contains(err.Error(), "b panics"), h.String(), err)
	},
	"a failure cancels the others at once": func(run runner) error {
		err := run(context.Background(), func(ctx context.Context, s owner) error {
			s.Go("sibling", cancelled)
			s.Go("failing", func(context.Context) error { return errBoom })
			return cancelled(ctx)
		})
		return want(errors.Is(err, errBoom) && !strings.Contains(err.Error(), "was not"), err)
	},
	"a failing body cancels the tasks": func(run runner) error {
		err := run(context.Background(), func(ctx context.Context, s owner) error {
			s.Go("sibling", cancelled)
			return errBoom
		})
		return want(err == errBoom, err)
	},
	"a panic is reported with its stack": func(run runner) error {
		err := run(context.Background(), func(ctx context.Context, s owner) error {
			s.Go("panicking", func(context.Context) error { panic(errOther) })
			return cancelled(ctx)
		})
		var p *registry.PanicError
		return want(errors.As(err, &p) && errors.Is(err, errOther) && strings.Contains(string(p.Stack), "rules_test.go"), err)
	},
	"Goexit is reported": func(run runner) error {
		err := run(context.Background(), func(ctx context.Context, s owner) error {
			s.Go("exiting", func(context.Context) error { runtime.Goexit(); return nil })
			return cancelled(ctx)
		})
		return want(errors.Is(err, registry.ErrGoexit), err)
	},
	"every failure is reported": func(run runner) error {
		err := run(context.Background(), func(ctx context.Context, s owner) error {
			s.Go("two", func(ctx context.Context) error { _ = cancelled(ctx); return errOther })
			s.Go("one", func(context.Context) error { return errBoom })
			return nil
		})
		return want(errors.Is(err, errBoom) && errors.Is(err, errOther), err)
	},
	"an echo of the cancellation is not": func(run runner) error {
		err := run(context.Background(), func(ctx context.Context, s owner) error {
			s.Go("two", cancelled)
			s.Go("one", func(context.Context) error { return errBoom })
			return fmt.Errorf("body: %w", cancelled(ctx))
		})
		return want(errors.Is(err, errBoom) && !errors.Is(err, context.Canceled), err)
	},
	"what is joined with an echo is": func(run runner) error {
		err := run(context.Background(), func(ctx context.Context, s owner) error {
			s.Go("two", func(ctx context.Context) error { return errors.Join(cancelled(ctx), errOther) })
			s.Go("one", func(context.Context) error { return errBoom })
			return nil
		})
		return want(errors.Is(err, errBoom) && errors.Is(err, errOther), err)
	},
	"the end of the outer context is": func(run runner) error {
		ctx, cancel := env.WithCancelCause(context.Background())
		err := run(ctx, func(ctx context.Context, s owner) error {
			s.Go("one", cancelled)
			cancel(errOther)
			return nil
		})
		return want(errors.Is(err, context.Canceled) && errors.Is(err, errOther), err)
	},
	"so it is if tasks say no more than that": func(run runner) error {
		ctx, cancel := env.WithCancelCause(context.Background())
		err := run(ctx, func(ctx context.Context, s owner) error {
			for range 3 {
				s.Go("one", func(ctx context.Context) error { _ = cancelled(ctx); return ctx.Err() })
			}
			cancel(errOther)
			return nil
		})
		return want(errors.Is(err, context.Canceled) && strings.Count(err.Error(), "canceled") == 1, err)
	},
	"cleanup is shielded from the cancellation": func(run runner) error {
		var seen error
		err := run(context.Background(), func(ctx context.Context, s owner) error {
			_, _ = s.Acquire("a", func(ctx context.Context) error { seen = ctx.Err(); return nil })
			return errBoom
		})
		return want(seen == nil && err == errBoom, seen, err)
	},
	"a resource is released once": func(run runner) error {
		var h history
		err := run(context.Background(), func(ctx context.Context, s owner) error {
			release, err := s.Acquire("a", h.closes("a", errOther))
			if err != nil {
				return err
			}
			_, _ = s.Acquire("b", h.closes("b", nil))
			if err := release(); err != errOther {
				return fmt.Errorf("early release: %v", err)
			}
			return release()
		})
		return want(h.String() == "a b" && err == nil, h.String(), err)
	},
	"a closing scope starts nothing and says so": func(run runner) error {
		var h history
		err := run(context.Background(), func(ctx context.Context, s owner) error {
			s.Go("failing", func(context.Context) error { return errBoom })
			_ = cancelled(ctx)
			s.Go("late", func(context.Context) error { h.add("late"); return nil })
			return nil
		})
		var closed *registry.ClosedError
		return want(h.String() == "" && errors.As(err, &closed) && closed.Task == "late", h.String(), err)
	},
	"a closing scope acquires nothing and says so": func(run runner) error {
		var h history
		err := run(context.Background(), func(ctx context.Context, s owner) error {
			s.Go("failing", func(context.Context) error { return errBoom })
			_ = cancelled(ctx)
			_, err := s.Acquire("late", h.closes("late", nil))
			return err
		})
		var closed *registry.ClosedError
		return want(h.String() == "" && errors.Is(err, errBoom) && !errors.As(err, &closed), h.String(), err)
	},
	"tasks may start tasks while Run waits": func(run runner) error {
		var h history
		err := run(context.Background(), func(ctx context.Context, s owner) error {
			s.Go("first", func(ctx context.Context) error {
				err := env.Sleep(ctx, time.Millisecond)
				s.Go("second", func(context.Context) error { h.add("second"); return nil })
				return err
			})
			return nil
		})
		return want(h.String() == "second" && err == nil, h.String(), err)
	},
}

func want(ok bool, got ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf("got %q", fmt.Sprint(got...))
}

func TestRules(t *testing.T) {
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			for range 20 {
				require.NoError(t, rule(runReal))
			}
		})
	}
}
