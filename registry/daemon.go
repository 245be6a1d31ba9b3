package registry

import (
	"context"
	"reflect"
)

// Daemon starts f as a task that serves until the scope closes, and waits until f has called ready. The scope does not
// wait for daemons to end by themselves: when the other tasks have ended, each is cancelled in its turn, youngest
// first, so that it outlives what was started after it. What a daemon starts for each request belongs in a scope of
// its own, which ends with it: a closing scope takes no more tasks.
//
// If f ends before it is ready, Daemon returns its error, or ErrNotReady, and the scope goes on: the caller decides.
// (A panic or Goexit fails the scope as well.) If ctx ends before f is ready, the daemon is cancelled and Daemon
// returns the error of ctx. In a closing scope f does not run, and Daemon returns a *ClosedError.
func (s *Scope) Daemon(ctx context.Context, name string, f func(ctx context.Context, ready func()) error) error {
	start := promised[error](name + ".ready") // ready, or ended, or given up
	e := s.entryWithContext(daemon, name, reflect.ValueOf(f).Pointer())
	e.more.Load().result = addressOf(start.v)
	run := func(ctx context.Context) error { return f(ctx, func() { start.keep(e, nil) }) }
	claim := func(err error) bool {
		if err == nil {
			err = &taskError{name, ErrNotReady}
		}
		return start.keep(e, err)
	}
	if closed := s.spawn(e, run, claim, nil); closed != nil {
		return closed
	}
	err, ended := start.wait(ctx)
	if ended == nil {
		return err
	}
	if start.keep(e, ended) {
		e.more.Load().cancel(ended)
	}
	err, _ = start.wait(s.shielded()) // there is one
	return err
}
