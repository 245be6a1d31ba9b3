package leaderschedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/trace"
)

// ErrTipAhead says that no block was made because the chain already has one of this slot or a later one.
var ErrTipAhead = errors.New("leaderschedule: the chain is at the slot or past it")

// Forger is what [Forger.Run] makes blocks of. All fields but Tracer are needed.
type Forger struct {
	Signer *Signer

	// Tip is what to build on, and Body the block's content for a slot; both run in one transaction, so that they belong to one moment. Body
	// reads what it needs there and returns what makes the body of it, which runs once, after the transaction, and may take its time.
	Tip  func(tx *stm.Tx) chain.Tip
	Body func(tx *stm.Tx, slot chain.Slot, after chain.Tip) func() []byte

	// Submit hands the block to chain selection. While it waits, slots pass by; an error of it is traced, and the loop goes on.
	Submit func(ctx context.Context, b chain.Block) error

	Tracer trace.Tracer[Event]
}

// Event is what became of one of the leader's slots.
type Event struct {
	Slot   chain.Slot
	Block  chain.Tip // the block made; zero if none was
	Missed uint64    // own slots that passed unused since the one before
	Err    error     // why no block was made (ErrTipAhead, ErrSigned), or what Submit said
}

// String is the event as a line.
func (e Event) String() string {
	switch {
	case e.Err != nil:
		return fmt.Sprintf("slot %d: %v", e.Slot, e.Err)
	case e.Missed > 0:
		return fmt.Sprintf("slot %d: forged %v; %d slots missed before", e.Slot, e.Block, e.Missed)
	}
	return fmt.Sprintf("slot %d: forged %v", e.Slot, e.Block)
}

// Level is how much the event matters in a log: a slot that another block took, or that the end of the run cut off, is no fault.
func (e Event) Level() slog.Level {
	for _, ordinary := range []error{nil, ErrTipAhead, ErrSigned, context.Canceled} {
		if errors.Is(e.Err, ordinary) {
			return slog.LevelInfo
		}
	}
	return slog.LevelError
}

// plan is what one slot's transaction found.
type plan struct {
	slot chain.Slot
	tip  chain.Tip
	body func() []byte // needed if the tip is before the slot
}

// Run makes a block in each slot that is the signer's, until ctx ends or the signer's store fails. It sleeps until the next own slot begins: one
// wake a slot led, none between. Slots that passed meanwhile are skipped, not made up for.
func (f Forger) Run(ctx context.Context) error {
	if err := f.validate(); err != nil {
		return err
	}
	var done chain.Slot // the last slot looked at
	for {
		p, err := stm.Atomically(ctx, func(tx *stm.Tx) (plan, error) { return f.plan(tx, done), nil })
		if err != nil {
			return err
		}
		e := Event{Slot: p.slot}
		if n := chain.Slot(len(f.Signer.schedule.keys)); done > 0 {
			e.Missed = uint64((p.slot - done - 1) / n)
		}
		done = p.slot
		if e.Block, e.Err = f.forge(ctx, p); e.Err != nil && !benign(e.Err) {
			return e.Err
		}
		f.Tracer.Emit(ctx, e)
	}
}

func (f Forger) validate() error {
	for _, x := range []struct {
		name    string
		missing bool
	}{{"Signer", f.Signer == nil}, {"Tip", f.Tip == nil}, {"Body", f.Body == nil}, {"Submit", f.Submit == nil}} {
		if x.missing {
			return fmt.Errorf("leaderschedule: Forger.%s is missing", x.name)
		}
	}
	return nil
}

// plan waits until an own slot after done is the present one, then reads what to build on. While it waits it depends on the time alone.
func (f Forger) plan(tx *stm.Tx, done chain.Slot) plan {
	g := f.Signer.schedule.genesis
	slot := f.Signer.next(max(g.SlotAt(env.Time(tx)), done+1))
	tx.Check(env.Reached(tx, g.SlotStart(slot)))
	p := plan{slot: slot, tip: f.Tip(tx)}
	if p.tip.Point.Slot < slot {
		p.body = f.Body(tx, slot, p.tip)
	}
	return p
}

// next is the first slot from s on that is the signer's.
func (g *Signer) next(s chain.Slot) chain.Slot {
	n := chain.Slot(len(g.schedule.keys))
	s = max(s, 1)
	return s + (chain.Slot(g.leader)+n-s%n)%n
}

// addError marks what Submit said.
type addError struct{ err error }

func (e *addError) Error() string { return fmt.Sprintf("leaderschedule: block not added: %v", e.err) }
func (e *addError) Unwrap() error { return e.err }

func benign(err error) bool {
	var added *addError
	return errors.Is(err, ErrTipAhead) || errors.Is(err, ErrSigned) || errors.As(err, &added)
}

func (f Forger) forge(ctx context.Context, p plan) (chain.Tip, error) {
	if p.tip.Point.Slot >= p.slot {
		return chain.Tip{}, fmt.Errorf("%w: %v", ErrTipAhead, p.tip)
	}
	if p.body == nil {
		return chain.Tip{}, errors.New("leaderschedule: Forger.Body gave nothing to make the body with")
	}
	body := p.body()
	if len(body) > chain.BodyBytesMax {
		return chain.Tip{}, fmt.Errorf("leaderschedule: Forger.Body gave %d bytes, at most %d", len(body), chain.BodyBytesMax)
	}
	h, err := f.Signer.Sign(ctx, chain.Fields{
		Slot: p.slot, BlockNo: p.tip.BlockNo + 1, Prev: p.tip.Point.Hash,
		BodyHash: chain.HashOf(body), BodySize: uint32(len(body)),
	})
	if err != nil {
		return chain.Tip{}, err
	}
	b, err := chain.NewBlock(h, body)
	if err != nil {
		return chain.Tip{}, err
	}
	if err := f.Submit(ctx, b); err != nil {
		return h.Tip(), &addError{err}
	}
	return h.Tip(), nil
}
