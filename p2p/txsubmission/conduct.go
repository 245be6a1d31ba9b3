package txsubmission

import "time"

const (
	wastedMax = 16
	tardyMax  = 16
	knownMax  = WindowMax
	pauseMin  = 10 * time.Millisecond
)

// conduct is what a session remembers of its peer's transactions.
type conduct struct {
	wasted int       // refused, gone, or of no use at all, less those that were of use; at most wastedMax
	known  int       // announced and known, since the last pause for that
	tardy  int       // answers in time that it takes for its leases to be trusted again
	until  time.Time // before this no transaction is asked for
}

// waste counts one of no use, and says how long to pause for it.
func (c *conduct) waste(most time.Duration) time.Duration {
	c.wasted = min(c.wasted+1, wastedMax)
	return pause(c.wasted, most)
}

// useful takes back one wasted. It ends no pause: a valid one among many that are refused would buy them all.
func (c *conduct) useful() { c.wasted = max(c.wasted-1, 0) }

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
