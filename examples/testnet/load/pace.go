package load

import "time"

// pace says how many transfers are due. A sender that is late does not make up for it: what is more than a burst behind is skipped, and counted.
type pace struct {
	start time.Time
	rate  int // a second
	spent int // handed out or skipped
}

// burst is how many may be due at once.
func (p *pace) burst() int { return max(1, p.rate/10) }

// due takes what is due at now: handed out as far as room goes, else skipped.
func (p *pace) due(now time.Time, room int) (out, skipped int) {
	owed := int(int64(p.rate)*int64(now.Sub(p.start))/int64(time.Second)) - p.spent
	if owed <= 0 {
		return 0, 0
	}
	p.spent += owed
	out = min(owed, room)
	return out, owed - out
}

// tickMin keeps a fast pace from waking too often.
const tickMin = 2 * time.Millisecond

// next is when the next transfer is due.
func (p *pace) next(now time.Time) time.Time {
	at := p.start.Add(time.Duration(int64(p.spent+1)*int64(time.Second)/int64(p.rate) + 1))
	if soonest := now.Add(tickMin); at.Before(soonest) {
		return soonest
	}
	return at
}
