package registry

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/synodkit/synod/env"
)

// Restart says how often, how fast and after what [Supervise] starts a daemon again. The zero value is ready: at most
// 5 restarts a minute, the first after 100 ms, doubling up to 10 s.
type Restart struct {
	Max        int              // restarts within Window; one more failure is permanent
	Window     time.Duration    //
	BackoffMin time.Duration    // before the first restart of a row; doubled, with jitter, for each further one
	BackoffMax time.Duration    // a row ends when the daemon has run for longer than this
	Permanent  func(error) bool // a failure that no restart can help; nil is none
}

// RestartError is the failure of a supervised daemon that is not started again.
type RestartError struct {
	Name     string
	Restarts int // within the window
	Err      error
}

// Error is the last failure and how often it was tried again.
func (e *RestartError) Error() string {
	return fmt.Sprintf("registry: %q failed after %d restarts: %v", e.Name, e.Restarts, e.Err)
}

// Unwrap is the last failure.
func (e *RestartError) Unwrap() error { return e.Err }

// Supervise runs f as a daemon and starts it again when it fails. Returning nil ends it. A panic or Goexit is a
// programming error and never restarted: it fails the scope, as does a permanent failure or one too many, with
// a *RestartError. In a closing scope f does not run, and Run returns a *ClosedError.
func Supervise(s *Scope, name string, r Restart, f func(ctx context.Context) error) {
	w := &supervisor{scope: s, name: name, rule: r.filled(), run: f}
	e := s.entryWithContext(daemon, name, reflect.ValueOf(f).Pointer())
	if closed := s.spawn(e, w.loop, nil, nil); closed != nil {
		s.refuse(closed)
	}
}

func (r Restart) filled() Restart {
	if r.Max < 0 || r.Window < 0 || r.BackoffMin < 0 || r.BackoffMax < 0 {
		panic("registry: a negative field in Restart")
	}
	if r.Max == 0 {
		r.Max = 5
	}
	if r.Window == 0 {
		r.Window = time.Minute
	}
	if r.BackoffMin == 0 {
		r.BackoffMin = 100 * time.Millisecond
	}
	if r.BackoffMax == 0 {
		r.BackoffMax = max(10*time.Second, r.BackoffMin)
	}
	if r.BackoffMax < r.BackoffMin {
		panic("registry: Restart.BackoffMax is less than BackoffMin")
	}
	return r
}

type supervisor struct {
	scope *Scope
	name  string
	rule  Restart
	run   func(context.Context) error
	past  []time.Time // of restarts, at most rule.Max
	row   int         // restarts in a row
}

func (w *supervisor) loop(ctx context.Context) error {
	for {
		from := env.Now(ctx)
		err := w.run(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if err := w.again(ctx, env.Now(ctx).Sub(from), err); err != nil {
			return err
		}
	}
}

// again waits before the next start, or gives the error that ends the daemon.
func (w *supervisor) again(ctx context.Context, ran time.Duration, err error) error {
	now := env.Now(ctx)
	if len(w.past) == w.rule.Max && now.Sub(w.past[0]) < w.rule.Window || w.rule.Permanent != nil && w.rule.Permanent(err) {
		return &RestartError{w.name, len(w.past), err}
	}
	if len(w.past) == w.rule.Max {
		w.past = w.past[1:]
	}
	w.past = append(w.past, now)
	if ran > w.rule.BackoffMax {
		w.row = 0
	}
	w.scope.emit(eventRestarted, w.name, err, ran)
	if slept := env.Sleep(ctx, w.backoff(ctx)); slept != nil {
		return slept // stopped: what was to be retried is no failure
	}
	return nil
}

// backoff is between half and all of the doubled wait.
func (w *supervisor) backoff(ctx context.Context) time.Duration {
	d := w.rule.BackoffMin
	for range w.row {
		if d *= 2; d >= w.rule.BackoffMax {
			d = w.rule.BackoffMax
			break
		}
	}
	w.row++
	return d/2 + time.Duration(env.Rand(ctx).Int64N(int64(d/2)+1))
}
