package consensus

import "slices"

// Majority is the least weight that is more than half of total: any two such quorums share a member.
func Majority(total Weight) Weight { return total/2 + 1 }

// TwoThirds is the least weight that is more than two thirds of total, "2f+1": any two such quorums share more than a third, hence a
// correct member if less than a third is faulty.
func TwoThirds(total Weight) Weight { return total - (total+2)/3 + 1 }

// OneThird is the least weight that is at least a third of total and more than what less than a third can have, "f+1": a correct member is
// among those who have it, as long as less than a third is faulty.
func OneThird(total Weight) Weight { return (total + 2) / 3 }

// Joint is a configuration of a crash-tolerant cluster. While it changes, Old is the one before, and whatever is decided needs a
// majority of both; otherwise Old is nil.
type Joint struct{ New, Old *Set }

// Met reports that the members of which yes holds are a quorum. A vote is lost when even all who did not refuse would be none:
// !j.Met(not refused).
func (j Joint) Met(yes func(ID) bool) bool {
	return j.New.met(yes) && (j.Old == nil || j.Old.met(yes))
}

func (s *Set) met(yes func(ID) bool) bool {
	var w Weight
	for _, m := range s.members {
		if yes(m.ID) {
			w += m.Weight
		}
	}
	return w >= Majority(s.total)
}

// Agreed is the largest n for which a quorum is at n or past it, given where each member is: what is committed of a log.
func (j Joint) Agreed(at func(ID) uint64) uint64 {
	n := j.New.agreed(at)
	if j.Old != nil {
		n = min(n, j.Old.agreed(at))
	}
	return n
}

func (s *Set) agreed(at func(ID) uint64) uint64 {
	type place struct {
		n uint64
		w Weight
	}
	var room [8]place // clusters are small: no allocation
	places := room[:0]
	for _, m := range s.members {
		places = append(places, place{at(m.ID), m.Weight})
	}
	slices.SortFunc(places, func(a, b place) int {
		switch {
		case a.n > b.n:
			return -1
		case a.n < b.n:
			return 1
		}
		return 0
	})
	var w Weight
	for _, p := range places {
		if w += p.w; w >= Majority(s.total) {
			return p.n
		}
	}
	panic("consensus: a set weighs less than its majority")
}

// Has reports that id is a member of either set.
func (j Joint) Has(id ID) bool {
	if _, ok := j.New.Index(id); ok {
		return true
	}
	if j.Old == nil {
		return false
	}
	_, ok := j.Old.Index(id)
	return ok
}
