package leaderschedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/trace"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

// line is a chain without forks, for forgers alone.
type line struct {
	tip    *stm.Var[chain.Tip]
	blocks []chain.Block
}

func newLine(s *Schedule) *line { return &line{tip: stm.NewVar(s.Genesis().Tip())} }

func (l *line) add(ctx context.Context, b chain.Block) error {
	l.blocks = append(l.blocks, b)
	return stm.Do(ctx, func(tx *stm.Tx) error { l.tip.Set(tx, b.Header.Tip()); return nil })
}

// simSchedule is a schedule that starts with the simulation.
func simSchedule(ctx context.Context, n int) (*Schedule, []*Signer, error) {
	keys := keysOf(n)
	s, err := New(genesisOf(env.Now(ctx), keys))
	if err != nil {
		return nil, nil, err
	}
	signers := make([]*Signer, n)
	for i, k := range keys {
		signers[i] = signerOf(s, k, store.NewMemory())
	}
	return s, signers, nil
}

// forFor runs f for a while.
func forFor(ctx context.Context, d time.Duration, f func(context.Context) error) error {
	short, cancel := env.WithTimeout(ctx, d)
	defer cancel()
	if err := f(short); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("ended with %w", err)
	}
	return nil
}

// TestForgesEachOwnSlot: a block in each slot led, none in others, one wake each.
func TestForgesEachOwnSlot(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		s, signers, err := simSchedule(ctx, 3)
		if err != nil {
			return err
		}
		l := newLine(s)
		runs, made := 0, 0
		var events trace.Recorder[Event]
		f := Forger{Signer: signers[1], Tip: func(tx *stm.Tx) chain.Tip { runs++; return l.tip.Get(tx) },
			Body: func(_ *stm.Tx, slot chain.Slot, after chain.Tip) func() []byte {
				return func() []byte { // a transaction may be opened here: it runs in none
					require.Equal(t, after, query(ctx, l.tip.Get))
					made++
					return fmt.Appendf(nil, "slot %d", slot)
				}
			},
			Submit: l.add, Tracer: events.Tracer()}
		if err := forFor(ctx, 30*time.Second-1, func(ctx context.Context) error { return f.Run(ctx) }); err != nil {
			return err
		}
		require.Len(t, l.blocks, 10)
		tip := s.Genesis().Tip()
		for i, b := range l.blocks {
			require.EqualValues(t, 1+3*i, b.Header.Slot())
			require.NoError(t, s.CheckHeader(b.Header))
			require.Equal(t, tip.Point.Hash, b.Header.Prev())
			require.Equal(t, fmt.Sprintf("slot %d", b.Header.Slot()), string(b.Body))
			require.Equal(t, Event{Slot: b.Header.Slot(), Block: b.Header.Tip()}, events.Events()[i])
			tip = b.Header.Tip()
		}
		require.Equal(t, 10, runs, "the chain is read once a slot led")
		require.Equal(t, 10, made, "each body is made once")
		return nil
	})
	require.NoError(t, r.Err)
	t.Logf("%d steps for 10 slots", r.Steps)
	// One wake a slot led: it plans, reserves, waits for the disk, releases, and the test adds two steps; a second wake would show.
	require.LessOrEqual(t, r.Steps, 10*9)
}

// TestMissedSlotsAreSkipped: what passes while Submit waits is not made up for.
func TestMissedSlotsAreSkipped(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		s, signers, err := simSchedule(ctx, 2)
		if err != nil {
			return err
		}
		l := newLine(s)
		var events trace.Recorder[Event]
		f := Forger{Signer: signers[0], Tip: l.tip.Get, Body: noBody, Tracer: events.Tracer(),
			Submit: func(ctx context.Context, b chain.Block) error {
				if err := l.add(ctx, b); err != nil || b.Header.Slot() != 4 {
					return err
				}
				if err := env.Sleep(ctx, 5500*time.Millisecond); err != nil { // until the middle of slot 9
					return err
				}
				return errors.New("slow")
			}}
		if err := forFor(ctx, 13*time.Second, func(ctx context.Context) error { return f.Run(ctx) }); err != nil {
			return err
		}
		var slots []chain.Slot
		for _, e := range events.Events() {
			slots = append(slots, e.Slot)
			require.NotEmpty(t, e.String())
		}
		require.Equal(t, []chain.Slot{2, 4, 10, 12}, slots)
		require.EqualValues(t, 2, events.Events()[2].Missed)
		require.ErrorContains(t, events.Events()[1].Err, "block not added: slow")
		return nil
	})
	require.NoError(t, r.Err)
}

// TestGenesisAheadAndTipAhead: nothing is made before slot 1, nor where the chain is already at the slot.
func TestGenesisAheadAndTipAhead(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		keys := keysOf(1)
		s, err := New(genesisOf(env.Now(ctx).Add(time.Hour), keys))
		if err != nil {
			return err
		}
		l := newLine(s)
		ahead := s.Genesis().Tip()
		ahead.Point.Slot = 3
		if err := stm.Do(ctx, func(tx *stm.Tx) error { l.tip.Set(tx, ahead); return nil }); err != nil {
			return err
		}
		var events trace.Recorder[Event]
		f := Forger{Signer: signerOf(s, keys[0], store.NewMemory()), Tip: l.tip.Get, Submit: l.add, Tracer: events.Tracer(),
			Body: noBody}
		if err := forFor(ctx, time.Hour+5500*time.Millisecond, func(ctx context.Context) error { return f.Run(ctx) }); err != nil {
			return err
		}
		got := events.Events()
		require.Len(t, got, 5)
		for _, e := range got[:3] {
			require.ErrorIs(t, e.Err, ErrTipAhead)
			require.Zero(t, e.Block)
		}
		require.Len(t, l.blocks, 2)
		require.EqualValues(t, 5, query(ctx, f.Signer.Last))
		return nil
	})
	require.NoError(t, r.Err)
}

func TestRunRefusesAndEnds(t *testing.T) {
	s, keys := scheduleOf(1)
	whole := Forger{Signer: signerOf(s, keys[0], store.NewMemory()), Tip: func(*stm.Tx) chain.Tip { return s.Genesis().Tip() },
		Body: noBody, Submit: func(context.Context, chain.Block) error { return nil }}
	for name, spoil := range map[string]func(*Forger){
		"Signer": func(f *Forger) { f.Signer = nil }, "Tip": func(f *Forger) { f.Tip = nil },
		"Body": func(f *Forger) { f.Body = nil }, "Submit": func(f *Forger) { f.Submit = nil },
	} {
		f := whole
		spoil(&f)
		require.ErrorContains(t, f.Run(context.Background()), "Forger."+name)
	}
	r := sim.Run(1, func(ctx context.Context) error {
		s, _, err := simSchedule(ctx, 1)
		if err != nil {
			return err
		}
		f := whole
		f.Signer = signerOf(s, keys[0], &dying{Memory: store.NewMemory(), stopAt: 2})
		require.ErrorIs(t, f.Run(ctx), store.ErrFailed)
		f.Signer = signerOf(s, keys[0], store.NewMemory())
		f.Body = func(*stm.Tx, chain.Slot, chain.Tip) func() []byte {
			return func() []byte { return make([]byte, chain.BodyBytesMax+1) }
		}
		require.ErrorContains(t, f.Run(ctx), "Forger.Body")
		f.Body = func(*stm.Tx, chain.Slot, chain.Tip) func() []byte { return nil }
		require.ErrorContains(t, f.Run(ctx), "Forger.Body")
		require.Zero(t, query(ctx, f.Signer.Last), "no slot is used up for it")
		return nil
	})
	require.NoError(t, r.Err)
}

// TestCancelledSign: a slot whose record was under way counts as signed; the signer goes on.
func TestCancelledSign(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		s, keys := scheduleOf(1)
		slow := &stuck{Memory: store.NewMemory(), ticket: store.NewTicket()}
		g := signerOf(s, keys[0], slow)
		err := registry.Run(ctx, func(ctx context.Context, sc *registry.Scope) error {
			short, cancel := env.WithTimeout(ctx, time.Second)
			defer cancel()
			second := registry.Fork(sc, "second", func(ctx context.Context) (*chain.Header, error) {
				if err := env.Sleep(ctx, time.Millisecond); err != nil {
					return nil, err
				}
				return g.Sign(ctx, fieldsAt(2, "b"))
			})
			_, err := g.Sign(short, fieldsAt(1, "a"))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			h, err := second.Wait(ctx)
			require.NoError(t, err)
			return s.CheckHeader(h)
		})
		require.NoError(t, err)
		_, err = g.Sign(ctx, fieldsAt(1, "c"))
		require.ErrorIs(t, err, ErrSigned)
		return nil
	})
	require.NoError(t, r.Err)
}

// stuck is a store whose first ticket is never done.
type stuck struct {
	*store.Memory
	ticket *store.Ticket
}

func (d *stuck) Apply(ctx context.Context, b *store.Batch, l store.Durability) (*store.Ticket, error) {
	t, err := d.Memory.Apply(ctx, b, l)
	if first := d.ticket; first != nil && err == nil {
		d.ticket = nil
		return first, nil
	}
	return t, err
}

func TestLevels(t *testing.T) {
	for _, err := range []error{nil, ErrTipAhead, ErrSigned, &addError{context.Canceled}} {
		require.Equal(t, slog.LevelInfo, Event{Err: err}.Level(), "%v", err)
	}
	require.Equal(t, slog.LevelError, Event{Err: &addError{errors.New("the queue is closed")}}.Level())
}
