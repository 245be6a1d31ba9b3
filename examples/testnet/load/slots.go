package load

// slotsMax is the longest latency that is told apart.
const slotsMax = 1024

// latencies counts how many slots transfers took from being accepted to being included.
type latencies struct {
	counts [slotsMax + 1]int
	total  int
}

func (l *latencies) add(slots int64) {
	l.counts[min(max(slots, 0), slotsMax)]++
	l.total++
}

// quantile is the smallest latency that at least a fraction q of all had; 0 without any.
func (l *latencies) quantile(q float64) int {
	need := max(1, int(q*float64(l.total)+0.999999))
	sum := 0
	for slots, n := range l.counts {
		if sum += n; sum >= need {
			return slots
		}
	}
	return 0
}
