package p2p

import (
	"errors"
	"fmt"

	"github.com/synodkit/synod/p2p/table"
)

// ErrStale says that a state value was used which the session had already left: a bug of the caller. It ends the session.
var ErrStale = errors.New("p2p: a stale state value")

// Turn is the right to make a session's next step, once: what the state values that package p2p/protogen generates are made of. It is a plain
// value; the zero Turn is stale. Every step, also one by Session.Send or Session.Recv, makes the turns before it stale.
type Turn struct {
	s    *Session
	step uint64
}

// Turn is the right to make the next step.
func (s *Session) Turn() Turn { return Turn{s, s.steps} }

// Send is Session.Send, and gives the turn that follows.
func (t Turn) Send(m table.Message) (Turn, error) {
	if err := t.fresh(); err != nil {
		return Turn{}, err
	}
	if err := t.s.Send(m); err != nil {
		return Turn{}, err
	}
	return t.s.Turn(), nil
}

// Recv is Session.Recv, and gives the turn that follows.
func (t Turn) Recv() (table.Message, Turn, error) {
	if err := t.fresh(); err != nil {
		return nil, Turn{}, err
	}
	m, err := t.s.Recv()
	if err != nil {
		return nil, Turn{}, err
	}
	return m, t.s.Turn(), nil
}

// Misfit ends the session because its table has let a message pass that the code generated from it does not know: the code is older than the table.
func (t Turn) Misfit(m table.Message) error {
	if t.s == nil {
		return ErrStale
	}
	return t.s.misuse("%T is new to the generated code: run go generate", m)
}

// fresh is an error unless the session stands where the turn was given.
func (t Turn) fresh() error {
	switch {
	case t.s == nil:
		return fmt.Errorf("%w: it was never given a turn", ErrStale)
	case t.step != t.s.steps:
		return t.s.misuse("%w: it was left %d steps ago", ErrStale, t.s.steps-t.step)
	}
	return nil
}
