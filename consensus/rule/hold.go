package rule

import (
	"context"
	"fmt"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// hold keeps what turns have to say until they are durable. Turns become durable in order, so one that has changed
// nothing durable waits for those before it.
type hold struct {
	turns []heldTurn // oldest first
	spare []heldTurn
	delta delta
	shows []shower // Outputs of the turn that is being settled
	last  []uint64 // of the logs, after the turn that is being settled
	news  uint64   // cells that became known as synced since the last turn
}

type heldTurn struct {
	ticket *store.Ticket
	out    []Message
	shows  []shower
	ends   []uint64 // of the logs
}

// shower is an Output.
type shower interface {
	hold()
	publish(tx *stm.Tx)
	published()
}

// settle ends a turn that has committed: early messages leave, what is durable is handed to the store, and the rest
// leaves too, or is held.
func (m *Module[P]) settle(ctx context.Context) error {
	t, h := &m.turn, &m.hold
	if len(t.early) > 0 {
		if err := m.w.Out(ctx, t.early); err != nil {
			return err
		}
	}
	ticket, err := m.write(ctx)
	if err != nil {
		return err
	}
	held := len(h.turns) > 0
	h.last = m.ends(h.last)
	if ticket == nil && !held {
		return m.leave(ctx, heldTurn{out: t.out, shows: h.shows, ends: h.last})
	}
	if ticket == nil && len(t.out)+len(h.shows) == 0 {
		return m.free(ctx)
	}
	if ticket == nil {
		ticket = h.turns[len(h.turns)-1].ticket
	}
	var x heldTurn
	if n := len(h.spare); n > 0 {
		x, h.spare = h.spare[n-1], h.spare[:n-1]
	}
	x.ticket, x.ends, x.shows = ticket, append(x.ends, h.last...), append(x.shows, h.shows...)
	x.out, t.out = t.out, x.out // the turn goes on with an empty slice
	h.turns = append(h.turns, x)
	return m.free(ctx)
}

// write hands the turn's durable changes to the store. The ticket is nil if there are none.
func (m *Module[P]) write(ctx context.Context) (*store.Ticket, error) {
	h, s := &m.hold, m.space
	h.shows = h.shows[:0]
	for i, l := range s.logs { // an entry that was cut off does not become durable by its old turn
		for _, t := range h.turns {
			t.ends[i] = min(t.ends[i], l.kept())
		}
	}
	for _, c := range s.dirty {
		switch c.header().kind {
		case durable:
			if m.w.Store != nil {
				h.delta.open()
				c.(saver).save(&h.delta)
			}
		case output:
			o := c.(shower)
			o.hold()
			h.shows = append(h.shows, o)
		}
		c.clean()
	}
	s.dirty = s.dirty[:0]
	b := h.delta.batch
	if h.delta.batch = nil; b == nil || b.Len() == 0 && b.Err() == nil {
		return nil, nil
	}
	t, err := m.w.Store.Apply(ctx, b, store.Durable)
	if err != nil {
		return nil, fmt.Errorf("rule: writing a turn of %s: %w", m.table.Name, err)
	}
	return t, nil
}

func (m *Module[P]) ends(into []uint64) []uint64 {
	into = into[:0]
	for _, l := range m.space.logs {
		into = append(into, l.end())
	}
	return into
}

// free lets the turns leave whose tickets are done.
func (m *Module[P]) free(ctx context.Context) error {
	h, n := &m.hold, 0
	for ; n < len(h.turns); n++ {
		t, done := &h.turns[n], false
		err := stm.Do(ctx, func(tx *stm.Tx) (err error) {
			err, done = t.ticket.Done(tx)
			return err
		})
		if err != nil {
			return m.undurable(err)
		}
		if !done {
			break
		}
		if err := m.leave(ctx, *t); err != nil {
			return err
		}
		clear(t.out)
		clear(t.shows)
		h.spare = append(h.spare, heldTurn{out: t.out[:0], shows: t.shows[:0], ends: t.ends[:0]})
	}
	k := copy(h.turns, h.turns[n:])
	clear(h.turns[k:])
	h.turns = h.turns[:k]
	return nil
}

// flush waits for everything that is held.
func (m *Module[P]) flush(ctx context.Context) error {
	for len(m.hold.turns) > 0 {
		if err := m.hold.turns[0].ticket.Wait(ctx); err != nil {
			return m.undurable(err)
		}
		if err := m.free(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (m *Module[P]) undurable(err error) error {
	return fmt.Errorf("rule: a turn of %s did not become durable: %w", m.table.Name, err)
}

// leave says what a turn has to say, and shows what it has changed.
func (m *Module[P]) leave(ctx context.Context, t heldTurn) error {
	for i, l := range m.space.logs {
		m.hold.news |= l.sync(t.ends[i])
	}
	if len(t.out) > 0 {
		if err := m.w.Out(ctx, t.out); err != nil {
			return err
		}
	}
	return show(ctx, t.shows)
}

func show(ctx context.Context, os []shower) error {
	if len(os) == 0 {
		return nil
	}
	err := stm.Do(ctx, func(tx *stm.Tx) error {
		for _, o := range os {
			o.publish(tx)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, o := range os {
		o.published()
	}
	return nil
}
