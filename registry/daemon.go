package registry

import (
	"context"
	"reflect"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/stm"
)

// start-up of a daemon.
type startup struct {
	over bool // ready, or ended, or given up
	err  error
}

// Daemon starts f as a task that serves until the scope closes, and waits until f has called ready. The scope does not
// wait for daemons to end by themselves: when the other tasks have ended, each is cancelled in its turn, youngest
// first, so that it outlives what was started after it. What a daemon starts for each request belongs in a scope of
// its own, which ends with it: a closing scope takes no more tasks.
//
// If f ends before it is ready, Daemon returns its error, or ErrNotReady, and the scope goes on: the caller decides.
// (A panic or Goexit fails the scope as well.) If ctx ends before f is ready, the daemon is cancelled and Daemon
// returns the error of ctx. In a closing scope f does not run, and Daemon returns a *ClosedError.
func (s *Scope) Daemon(ctx context.Context, name string, f func(ctx context.Context, ready func()) error) error {
	state := stm.NewVar(startup{}).Label(name + ".ready")
	shielded := s.shielded()
	settle := func(err error) (first bool) { // cannot fail: it never waits
		first, _ = stm.Query(shielded, func(tx *stm.Tx) bool {
			if state.Get(tx).over {
				return false
			}
			state.Set(tx, startup{true, err})
			return true
		})
		return first
	}
	e, closed := s.placeDaemon(name, reflect.ValueOf(f).Pointer())
	if closed != nil {
		return closed
	}
	run := func(ctx context.Context) error { return f(ctx, func() { settle(nil) }) }
	claim := func(err error) bool {
		if err == nil {
			err = &taskError{name, ErrNotReady}
		}
		return settle(err)
	}
	s.start(e, func() { e.turn(run, claim, nil) })
	_, err := stm.Query(ctx, func(tx *stm.Tx) bool { tx.Check(state.Get(tx).over); return true })
	if err != nil && settle(err) {
		e.more.Load().cancel(err)
		return err
	}
	return state.Load(shielded).err
}

// placeDaemon pushes an entry with a context of its own, unless the scope is closing. It is called by a function of the
// user's choice.
func (s *Scope) placeDaemon(name string, code uintptr) (*entry, *ClosedError) {
	m := new(more)
	m.ctx, m.cancel = seam.WithCancel(s.ctx)
	e := &entry{scope: s, name: name, kind: daemon, code: code}
	e.more.Store(m)
	closed := s.place(e, 2)
	if closed != nil {
		m.cancel(nil)
	}
	return e, closed
}
