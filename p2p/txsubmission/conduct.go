package txsubmission

import (
	"time"

	"github.com/synodkit/synod/chain"
)

const (
	refusedMax = 1024
	tardyMax   = 16
	knownMax   = WindowMax
	pauseMin   = 10 * time.Millisecond
)

// conduct is what a session remembers of its peer's transactions.
type conduct struct {
	wasted int                     // in a row: refused, gone, or of no use at all
	known  int                     // announced and known, since the last pause for that
	tardy  int                     // answers in time that it takes for its leases to be trusted again
	until  time.Time               // before this no transaction is asked for
	ids    map[chain.Hash]struct{} // refused: not asked for again
	order  []chain.Hash            // the same, oldest first; at most refusedMax
}

func (c *conduct) refused(id chain.Hash) bool {
	_, ok := c.ids[id]
	return ok
}

// refuse remembers id and, beyond refusedMax, forgets the oldest.
func (c *conduct) refuse(id chain.Hash) {
	if c.refused(id) {
		return
	}
	if c.ids == nil {
		c.ids = map[chain.Hash]struct{}{}
	}
	if len(c.order) == refusedMax {
		delete(c.ids, c.order[0])
		c.order = append(c.order[:0], c.order[1:]...)
	}
	c.ids[id] = struct{}{}
	c.order = append(c.order, id)
}

// useful ends a row of wasted ones.
func (c *conduct) useful() { c.wasted, c.until = 0, time.Time{} }

// rest lets the next decision wait until then, or longer if it does already.
func (c *conduct) rest(until time.Time) {
	if until.After(c.until) {
		c.until = until
	}
}

// pause doubles from pauseMin with each of n in a row, up to most.
func pause(n int, most time.Duration) time.Duration {
	d := pauseMin
	for ; n > 1 && d < most; n-- {
		d *= 2
	}
	return min(d, most)
}

// answered counts an answer: a peer that was late is not trusted until it has been in time often enough.
func (c *conduct) answered(late bool) {
	switch {
	case late:
		c.tardy = tardyMax
	case c.tardy > 0:
		c.tardy--
	}
}
