package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
)

// refresh is how often a terminal is redrawn while nothing changes but the time.
const refresh = 250 * time.Millisecond

var errInterrupted = errors.New("interrupted")

// watch shows the network until user ends, or until all nodes hold the same block --until-block, or until nothing grows any more. It says why it
// stopped early. An error means that the network has failed.
func (n *network) watch(ctx, user context.Context) (stopped string, err error) {
	watching, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer context.AfterFunc(user, func() { stop(errInterrupted) })()
	d := display{out: n.run.out}
	progress := n.progress(ctx)
	for last := (moment{}); ; {
		last, err = n.next(watching, last, progress.until)
		switch {
		case errors.Is(context.Cause(watching), errInterrupted):
			return errInterrupted.Error(), nil
		case err != nil:
			return "", err
		}
		d.show(last)
		until := n.run.options.until
		if until > 0 && last.agreed {
			return "", nil
		}
		if stalled := progress.see(env.Now(ctx), last); until > 0 && stalled {
			return fmt.Sprintf("the shortest chain did not grow for %v", progress.limit), nil
		}
	}
}

// next waits for a moment worth showing or judging.
func (n *network) next(ctx context.Context, last moment, stall time.Time) (moment, error) {
	until := n.run.options.until
	redraw := env.Now(ctx).Add(refresh)
	m, err := stm.Query(ctx, func(tx *stm.Tx) moment {
		m := n.moment(tx)
		m.agreed = until > 0 && m.lowest() >= until && n.agreed(tx, until)
		tick := n.run.out.size != nil && env.Reached(tx, redraw)
		late := until > 0 && env.Reached(tx, stall)
		tx.Check(m.agreed || tick || late || !m.same(last))
		m.slot, m.since = n.run.home.genesis.SlotAt(env.Time(tx)), env.Time(tx).Sub(n.run.start)
		return m
	})
	return m, err
}

// progress notices that the shortest chain has stopped growing.
type progress struct {
	goal   uint64 // growth beyond it does not count: chains that differ must not grow apart for ever
	limit  time.Duration
	lowest uint64
	until  time.Time // when it is given up
}

func (n *network) progress(ctx context.Context) *progress {
	limit := n.run.options.limits.stall
	return &progress{goal: n.run.options.until, limit: limit, until: env.Now(ctx).Add(limit)}
}

// see takes a moment into account and reports a stall.
func (p *progress) see(now time.Time, m moment) bool {
	if low := min(m.lowest(), p.goal); low > p.lowest {
		p.lowest, p.until = low, now.Add(p.limit)
	}
	return !now.Before(p.until)
}
