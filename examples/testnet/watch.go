package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
)

const (
	refresh = 250 * time.Millisecond // how often a terminal is redrawn while nothing changes but the time
	lookMin = 20 * time.Millisecond  // how soon the next moment is looked at: a mempool changes thousands of times a second
)

var errInterrupted = errors.New("interrupted")

// watcher shows the network and knows when the run is over.
type watcher struct {
	network  *network
	display  display
	progress progress
	end      time.Time // by --for, while there is no goal; zero: none
}

// watch shows the network until user ends, or until the planned faults are over and all nodes hold the same block that is the goal, or until nothing grows any
// more. It says why it stopped early. An error means that the network has failed.
func (w *watcher) watch(ctx, user context.Context) (stopped string, err error) {
	watching, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer context.AfterFunc(user, func() { stop(errInterrupted) })()
	for last := (moment{}); ; {
		last, err = w.next(watching, last)
		switch {
		case errors.Is(context.Cause(watching), errInterrupted):
			return errInterrupted.Error(), nil
		case err != nil:
			return "", err
		}
		w.display.show(last)
		switch late := w.progress.see(env.Now(ctx), last); {
		case last.done():
			return "", nil
		case late:
			return fmt.Sprintf("the shortest chain did not grow for %v", w.progress.limit), nil
		case last.goal == 0 && w.over(env.Now(ctx)):
			err = stm.Do(ctx, func(tx *stm.Tx) error { w.network.goal.Set(tx, max(1, last.highest())); return nil })
			if err != nil {
				return "", err
			}
		}
	}
}

// over reports whether the time of --for has passed.
func (w *watcher) over(now time.Time) bool { return !w.end.IsZero() && !now.Before(w.end) }

// next waits for a moment worth showing or judging.
func (w *watcher) next(ctx context.Context, last moment) (moment, error) {
	n, now := w.network, env.Now(ctx)
	look, redraw := now.Add(lookMin), now.Add(refresh)
	m, err := stm.Query(ctx, func(tx *stm.Tx) moment {
		tx.Check(last.views == nil || env.Reached(tx, look)) // before anything else is read, so that nothing else ends the wait
		m := n.moment(tx)
		m.goal, m.calm = n.goal.Get(tx), n.calm(tx)
		m.agreed = m.goal > 0 && m.lowest() >= m.goal && n.agreed(tx, m.goal)
		tick := w.display.out.size != nil && env.Reached(tx, redraw)
		late := m.goal > 0 && m.calm && env.Reached(tx, w.progress.until)
		end := m.goal == 0 && !w.end.IsZero() && env.Reached(tx, w.end)
		tx.Check(m.done() || tick || late || end || !m.same(last))
		m.slot, m.since = n.run.home.Genesis.SlotAt(env.Time(tx)), env.Time(tx).Sub(n.run.start)
		return m
	})
	m.rss = residentBytes(n.pids(ctx)...)
	return m, err
}

// pids are those of the network's processes.
func (n *network) pids(ctx context.Context) []int {
	pids := []int{os.Getpid()}
	if n.child != nil {
		pids = append(pids, n.child.state.Load(ctx).status.PID)
	}
	return pids
}

// progress notices that the shortest chain has stopped growing towards the goal. While faults are planned it is not asked: those have limits of their own.
type progress struct {
	limit  time.Duration
	lowest uint64
	until  time.Time // when it is given up
}

// see takes a moment into account and reports a stall. Growth beyond the goal does not count: chains that differ must not grow apart for ever.
func (p *progress) see(now time.Time, m moment) bool {
	low := min(m.lowest(), m.goal)
	if m.goal == 0 || !m.calm || low > p.lowest {
		p.lowest, p.until = low, now.Add(p.limit)
	}
	return !now.Before(p.until)
}
