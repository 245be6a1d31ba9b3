package txsubmission

import (
	"context"
	"fmt"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// take gives what came to the sink, in order, once all of it was found to be what was asked for.
func (p *pull) take(ctx context.Context, run []Announced, txs [][]byte) error {
	came, err := match(run, txs)
	if err != nil {
		return p.s.Invalid(err)
	}
	for i, a := range run {
		if came[i] == nil {
			p.waste(ctx)
			continue
		}
		if err := p.offer(ctx, a, came[i]); err != nil {
			return err
		}
	}
	return nil
}

// match finds the transaction that came for each id, or nil. What comes must be asked for, once, in order, and as long as announced.
func match(run []Announced, txs [][]byte) ([][]byte, error) {
	came := make([][]byte, len(run))
	at := 0
	for _, raw := range txs {
		id := chain.HashOf(raw)
		for at < len(run) && run[at].ID != id {
			at++
		}
		if at == len(run) {
			return nil, fmt.Errorf("txsubmission: transaction %v was not asked for, comes twice, or is out of order", id)
		}
		if len(raw) != int(run[at].Bytes) {
			return nil, fmt.Errorf("txsubmission: transaction %v has %d bytes, %d were announced", id, len(raw), run[at].Bytes)
		}
		came[at] = raw
		at++
	}
	return came, nil
}

// offer gives one transaction to the sink. While there is no room for it the session rests: nothing more is asked for.
func (p *pull) offer(ctx context.Context, a Announced, raw []byte) error {
	cfg := &p.client.cfg
	for n := 1; ; n++ {
		err := p.sink.Offer(ctx, raw)
		switch {
		case err == nil:
			p.conduct.useful()
			return nil
		case ctx.Err() != nil:
			return err
		case cfg.Blame(err):
			return p.s.Invalid(err)
		case !cfg.Full(err):
			return p.refused(ctx, a.ID)
		}
		again := env.Now(ctx).Add(pause(n, cfg.PauseMax)) // Room may know less than Offer
		known, err := p2p.Wait(ctx, p.s, func(tx *stm.Tx) bool { return p.room(tx, a, again) })
		if err != nil || known {
			return err
		}
	}
}

// room waits until a is known from elsewhere, or there is room for it and it is time to offer it again.
func (p *pull) room(tx *stm.Tx, a Announced, again time.Time) (known bool) {
	if p.sink.Has(tx, a.ID) {
		return true
	}
	tx.Check(p.sink.Room(tx, int(a.Bytes)) && env.Reached(tx, again))
	return false
}

// refused counts a refusal, unless the reason was that the sink has it already.
func (p *pull) refused(ctx context.Context, id chain.Hash) error {
	known, err := stm.Query(ctx, func(tx *stm.Tx) bool { return p.sink.Has(tx, id) })
	if err == nil && !known {
		p.waste(ctx)
	}
	return err
}

// waste counts what was of no use, and lets the next decision wait longer.
func (p *pull) waste(ctx context.Context) {
	p.conduct.rest(env.Now(ctx).Add(p.conduct.waste(p.client.cfg.PauseMax)))
}
