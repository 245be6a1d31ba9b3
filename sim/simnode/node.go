package simnode

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/stm"
)

// How a life can be.
var (
	ErrUp      = errors.New("simnode: the node is up")
	ErrCrashed = errors.New("simnode: crashed")
)

// Clock is how wrong a node's clock is. The zero Clock is right.
type Clock struct {
	Skew     time.Duration // ahead of virtual time, or behind
	DriftPPM int64         // of the time passed since the start of the world; at most 100,000 either way
}

// Node is one machine.
type Node struct {
	name  string
	world world
	state *stm.Var[state]
}

// world is what a simulation has for machines.
type world interface {
	SetClock(name string, skew time.Duration, driftPPM int64)
	Boot(ctx context.Context, name string, f func(ctx context.Context)) (join, end func(), mine func() bool)
}

type state struct {
	lives int
	up    bool
	err   error // of the last life
	end   func()
	mine  func() bool
	stop  context.CancelCauseFunc
}

// New makes a node, not yet started. Names are to be unique in a world.
func New(ctx context.Context, name string, c Clock) *Node {
	w, ok := seam.From(ctx).(world)
	if !ok {
		panic("simnode: New outside of a simulation")
	}
	w.SetClock(name, c.Skew, c.DriftPPM)
	return &Node{name, w, stm.NewVar(state{}).Label("node " + name)}
}

// Name is the node's name.
func (n *Node) Name() string { return n.name }

func (n *Node) change(ctx context.Context, f func(s *state) error) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		s := n.state.Get(tx)
		if err := f(&s); err != nil {
			return err
		}
		n.state.Set(tx, s)
		return nil
	})
}

// Start runs f as the node's next life. What is left of the last one, after its f has returned, is crashed. Start does not wait for f.
func (n *Node) Start(ctx context.Context, f func(ctx context.Context) error) error {
	var last state
	err := n.change(ctx, func(s *state) error {
		if s.up {
			return fmt.Errorf("%w: %s", ErrUp, n.name)
		}
		last = *s
		*s = state{lives: s.lives + 1, up: true}
		return nil
	})
	if err != nil {
		return err
	}
	if last.end != nil {
		last.end()
	}
	over := func(ctx context.Context, err error) {
		_ = n.change(env.WithoutCancel(ctx), func(s *state) error { // of this life: a dead one gets no further
			s.up, s.err = false, err
			return nil
		})
	}
	life, stop := env.WithCancelCause(env.WithoutCancel(ctx))
	_, end, mine := n.world.Boot(life, n.name, func(ctx context.Context) { over(ctx, f(ctx)) })
	return n.change(ctx, func(s *state) error { s.end, s.mine, s.stop = end, mine, stop; return nil })
}

// Stop asks the node's life to end, by cancelling its context with cause, and waits for that. It gives what f returned.
func (n *Node) Stop(ctx context.Context, cause error) error {
	s, err := n.started(ctx)
	if err != nil || !s.up {
		return err
	}
	s.stop(cause)
	return n.Wait(ctx)
}

// started is the state once nobody is about to start the node.
func (n *Node) started(ctx context.Context) (state, error) {
	return stm.Query(ctx, func(tx *stm.Tx) state {
		s := n.state.Get(tx)
		tx.Check(!s.up || s.end != nil)
		return s
	})
}

// Crash ends the node's life, if it is up.
func (n *Node) Crash(ctx context.Context) error {
	s, err := n.started(ctx)
	if err != nil || !s.up {
		return err
	}
	down := func() error {
		return n.change(ctx, func(now *state) error {
			if now.lives == s.lives && now.up {
				now.up, now.err = false, ErrCrashed
			}
			return nil
		})
	}
	if !s.mine() {
		s.end()
		return down()
	}
	if err := down(); err != nil {
		return err
	}
	s.end()
	return nil
}

// Up reports whether the node lives.
func (n *Node) Up(tx *stm.Tx) bool { return n.state.Get(tx).up }

// Lives is how often the node was started.
func (n *Node) Lives(tx *stm.Tx) int { return n.state.Get(tx).lives }

// Err is how the last life ended, as Wait says; nil while the node is up.
func (n *Node) Err(tx *stm.Tx) error { return n.state.Get(tx).err }

// Wait waits until the node is not up, and says how its last life ended: by what f returned, or ErrCrashed.
func (n *Node) Wait(ctx context.Context) error {
	s, err := stm.Query(ctx, func(tx *stm.Tx) state {
		s := n.state.Get(tx)
		tx.Check(!s.up)
		return s
	})
	if err != nil {
		return err
	}
	return s.err
}
