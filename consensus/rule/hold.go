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
	turns []heldTurn
	spare []heldTurn
	delta delta
	news  uint64 // cells that became known as synced
}

type heldTurn struct {
	ticket *store.Ticket
	out    []Message
	shows  []shower // Outputs
	ends   []uint64 // of the logs
}

// shower is an Output.
type shower interface {
	hold()
	publish(tx *stm.Tx)
	published()
}

// turner is a module whatever its state.
type turner interface {
	wiring() *Wiring
	cells() *Space
	said() (out, early []Message)
	swap(out []Message)
}

func (m *Module[P]) wiring() *Wiring              { return &m.w }
func (m *Module[P]) cells() *Space                { return m.space }
func (m *Module[P]) said() (out, early []Message) { return m.turn.out, m.turn.early }
func (m *Module[P]) swap(out []Message)           { m.turn.out = out }

// settle ends a turn that has committed: early messages leave, what is durable is handed to the store, and the rest
// waits for that, if it has to.
func (h *hold) settle(ctx context.Context, m turner) error {
	h.news = 0
	w, s := m.wiring(), m.cells()
	out, early := m.said()
	if len(early) > 0 {
		if err := w.Out(ctx, early); err != nil {
			return err
		}
	}
	ticket, shows, err := h.write(ctx, w, s)
	if err != nil {
		return err
	}
	if ticket == nil && len(h.turns) > 0 {
		ticket = h.turns[len(h.turns)-1].ticket
	}
	if ticket == nil {
		return h.out(ctx, w, s, heldTurn{out: out, shows: shows, ends: h.ends(s, nil)})
	}
	if len(out)+len(shows) > 0 || len(s.logs) > 0 {
		t := h.blank()
		m.swap(t.out)
		t.ticket, t.out, t.shows, t.ends = ticket, out, shows, h.ends(s, t.ends)
		h.turns = append(h.turns, t)
	}
	return h.free(ctx, m)
}

// write hands the turn's durable changes to the store.
func (h *hold) write(ctx context.Context, w *Wiring, s *Space) (t *store.Ticket, shows []shower, err error) {
	for _, c := range s.dirty {
		switch c.header().kind {
		case durable:
			if w.Store == nil {
				break
			}
			if h.delta.batch == nil {
				h.delta.batch = new(store.Batch)
			}
			c.save(&h.delta)
		case output:
			o := c.(shower)
			o.hold()
			shows = append(shows, o)
		}
	}
	for _, c := range s.dirty {
		c.clean()
	}
	s.dirty = s.dirty[:0]
	b := h.delta.batch
	if h.delta.batch = nil; b == nil || b.Len() == 0 && b.Err() == nil {
		return nil, shows, nil
	}
	if t, err = w.Store.Apply(ctx, b, store.Durable); err != nil {
		return nil, nil, fmt.Errorf("rule: writing a turn: %w", err)
	}
	return t, shows, nil
}

func (h *hold) ends(s *Space, into []uint64) []uint64 {
	into = into[:0]
	for _, l := range s.logs {
		into = append(into, l.end())
	}
	return into
}

// free releases the turns whose tickets are done.
func (h *hold) free(ctx context.Context, m turner) error {
	n := 0
	for ; n < len(h.turns); n++ {
		done, err := stm.Query(ctx, func(tx *stm.Tx) bool { _, done := h.turns[n].ticket.Done(tx); return done })
		if err != nil {
			return err
		}
		if !done {
			break
		}
		if err := h.let(ctx, m, &h.turns[n]); err != nil {
			return err
		}
	}
	k := copy(h.turns, h.turns[n:])
	clear(h.turns[k:])
	h.turns = h.turns[:k]
	return nil
}

// let waits for one turn's ticket and releases it.
func (h *hold) let(ctx context.Context, m turner, t *heldTurn) error {
	if err := t.ticket.Wait(ctx); err != nil {
		return fmt.Errorf("rule: a turn did not become durable: %w", err)
	}
	if err := h.out(ctx, m.wiring(), m.cells(), *t); err != nil {
		return err
	}
	clear(t.out)
	h.spare = append(h.spare, heldTurn{out: t.out[:0], ends: t.ends[:0]})
	return nil
}

// out shows what a turn has changed and says what it has to say.
func (h *hold) out(ctx context.Context, w *Wiring, s *Space, t heldTurn) error {
	for i, l := range s.logs {
		h.news |= l.sync(t.ends[i])
	}
	if len(t.shows) > 0 {
		err := stm.Do(ctx, func(tx *stm.Tx) error {
			for _, o := range t.shows {
				o.publish(tx)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, o := range t.shows {
			o.published()
		}
	}
	if len(t.out) == 0 {
		return nil
	}
	return w.Out(ctx, t.out)
}

// flush waits for everything that is held.
func (h *hold) flush(ctx context.Context, m turner) error {
	for i := range h.turns {
		if err := h.let(ctx, m, &h.turns[i]); err != nil {
			return err
		}
	}
	h.turns = nil
	return nil
}

func (h *hold) blank() (t heldTurn) {
	if n := len(h.spare); n > 0 {
		t, h.spare = h.spare[n-1], h.spare[:n-1]
	}
	return t
}
