package p2p

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/event"
	"github.com/synodkit/synod/sync/gate"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/queue"
)

// errNotOurs is a bug of the caller, which ends nothing.
var errNotOurs = errors.New("p2p: agency is not ours")

// Source is a session whose received messages are a prop.Source: Take is Recv as a part of a transaction, so that one wait can be for messages of
// several peers, for time, and for whatever else is a Var. Use a plain Session where messages are all that is waited for: it needs no task and
// no transaction.
//
// A task reads, so a session needs an owner at each moment, and agency says who: while the peer has it the session is the task's, while we have it
// the caller's. The task hands it over with the message that gives us agency, and Send hands it back. It reads at most a stated number of
// messages ahead, and none without a place for it: the peer feels that the caller is slow, as it does with Recv.
type Source struct {
	s    *Session
	in   *queue.Queue[table.Message]
	turn *stm.Var[owner]
	end  *stm.Var[error] // why no more will come; nil after the protocol's last message
	done *gate.Latch     // the task has ended
}

// owner is whose a session is.
type owner uint8

const (
	theirs owner = iota // the peer has agency: the task's
	ours                // we have agency: the caller's
	over                // the task ends, or has ended
)

var _ prop.Source[table.Message] = (*Source)(nil)

// NewSource makes a source of a new session, which is not to be used directly from then on. spawn starts its task: the method Go of a scope, which should
// be that of the session's context. At most ahead messages wait to be taken.
func NewSource(spawn event.Spawn, s *Session, ahead int) *Source {
	src := &Source{
		s:    s,
		in:   queue.FIFO(ahead, queue.Wait[table.Message]()).Label("p2p.source"),
		turn: stm.NewVar(s.owner()).Label("p2p.source.turn"),
		end:  stm.NewVar[error](nil).Label("p2p.source.end"),
		done: gate.NewLatch(1),
	}
	spawn("read "+s.proto.Name, src.run)
	return src
}

// owner is whose the session is in its present state.
func (s *Session) owner() owner {
	switch s.at.Agency {
	case s.role:
		return ours
	case table.Nobody:
		return over
	}
	return theirs
}

// run is the task. A session that ends is no failure of the scope: who takes is told.
func (src *Source) run(ctx context.Context) error {
	free := env.WithoutCancel(ctx)
	settle := func(f func(tx *stm.Tx)) { _ = stm.Do(free, func(tx *stm.Tx) error { f(tx); return nil }) } // cannot fail: it never waits
	defer settle(src.done.CountDown)
	for {
		place, err := stm.Atomically(ctx, src.place)
		if err != nil {
			settle(func(tx *stm.Tx) { src.finish(tx, err) })
			return nil
		}
		m, err := src.s.Recv()
		settle(func(tx *stm.Tx) {
			if err != nil {
				place.Release(tx)
				src.finish(tx, err)
				return
			}
			place.Fill(tx, m)
			if src.turn.Get(tx) != over {
				src.turn.Set(tx, src.s.owner())
			}
			if src.turn.Get(tx) == over {
				src.finish(tx, nil)
			}
		})
	}
}

// place waits until the session is the task's and there is room for one more message.
func (src *Source) place(tx *stm.Tx) (*queue.Place[table.Message], error) {
	switch src.turn.Get(tx) {
	case ours:
		return nil, stm.ErrRetry
	case over:
		return nil, prop.ErrClosed
	}
	return src.in.Reserve(tx)
}

// finish lets no more messages come; the first reason stays.
func (src *Source) finish(tx *stm.Tx, why error) {
	if errors.Is(why, prop.ErrClosed) {
		why = nil
	}
	if src.end.Get(tx) == nil {
		src.end.Set(tx, why)
	}
	src.turn.Set(tx, over)
	src.in.Close(tx)
}

// Take is the next message. After the last it fails with the session's final error, or with prop.ErrClosed if the protocol has ended in order.
func (src *Source) Take(tx *stm.Tx) (table.Message, error) {
	m, err := src.in.Take(tx)
	if errors.Is(err, prop.ErrClosed) {
		if end := src.end.Get(tx); end != nil {
			err = end
		}
	}
	return m, err
}

// Props is the contract of a source.
func (src *Source) Props() prop.Props { return src.in.Props() }

// Send is Session.Send. If that gives agency to the peer, what was sent is written by the task, which then reads. To send while the peer has agency, or
// before all that came was taken, is an error that ends nothing.
func (src *Source) Send(ctx context.Context, m table.Message) error {
	err := stm.Do(ctx, func(tx *stm.Tx) error {
		switch end := src.end.Get(tx); {
		case end != nil:
			return end
		case src.turn.Get(tx) != ours || src.in.Len(tx) > 0:
			return fmt.Errorf("%w: Send of %T", errNotOurs, m)
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = src.s.Send(m)
	return errors.Join(err, stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error {
		switch {
		case err != nil:
			src.finish(tx, err)
		case src.s.owner() == theirs:
			src.turn.Set(tx, theirs)
		}
		return nil
	}))
}

// Close ends the session as Session.Close does. While the peer has agency no end is in order: then it resets the stream, and waits for the task.
func (src *Source) Close(ctx context.Context, limit time.Duration) error {
	was, err := stm.Query(env.WithoutCancel(ctx), func(tx *stm.Tx) owner {
		was := src.turn.Get(tx)
		src.turn.Set(tx, over)
		return was
	})
	if was == theirs {
		src.s.conn.Stream.Reset(CodeShutdown)
	}
	if was != ours && err == nil {
		err = stm.Do(ctx, src.done.Wait)
	}
	if err != nil {
		return err
	}
	return src.s.Close(limit)
}
