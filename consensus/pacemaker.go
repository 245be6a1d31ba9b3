package consensus

import (
	"math"
	"time"
)

// Pacemaker says how long to wait in a round before giving up on it: First in round 0, longer in each later one, at most Max. Timeouts
// must grow until they exceed the unknown delay of the network, or a partially synchronous protocol never decides.
type Pacemaker struct {
	First time.Duration
	Step  time.Duration // added each round
	Ratio float64       // multiplied each round, before Step is added; 0 is 1
	Max   time.Duration // 0: 146 years
}

// Timeout is that of a round.
func (p Pacemaker) Timeout(round uint64) time.Duration {
	limit := time.Duration(math.MaxInt64 / 2)
	if p.Max > 0 {
		limit = min(limit, p.Max)
	}
	t := float64(p.First)
	if p.Ratio > 0 && p.Ratio != 1 {
		growth := min(math.Pow(p.Ratio, float64(round)), math.MaxFloat64) // infinity times no Step is no number
		t = t*growth + float64(p.Step)*(growth-1)/(p.Ratio-1)
	} else {
		t += float64(p.Step) * float64(round)
	}
	if t >= float64(limit) {
		return limit
	}
	return time.Duration(t)
}
