package consensus

import "slices"

// Rotation is the state of a rotation by weight: in the long run a member leads as often as its weight says, and never waits
// longer than it must. Each step adds its weight to the priority of every member; the one with the highest leads (of equals, the
// lowest number) and pays the total weight. It is a value: Next and Change make others.
type Rotation struct {
	set      *Set
	priority []int64 // their sum is between -Len and Len, their spread at most twice the total
	leader   int
}

// Rotation is the rotation of a set, at its first leader.
func (s *Set) Rotation() Rotation {
	return Rotation{set: s, priority: make([]int64, s.Len())}.Next()
}

// Resume is the rotation that had these priorities, as [Rotation.Priorities] gave them, and that leader; false if they cannot be.
func (s *Set) Resume(priorities []int64, leader int) (Rotation, bool) {
	r := Rotation{set: s, priority: slices.Clone(priorities), leader: leader}
	if len(priorities) != s.Len() || leader < 0 || leader >= s.Len() {
		return Rotation{}, false
	}
	for _, p := range priorities {
		if limit := 4 * int64(WeightMax); p > limit || p < -limit {
			return Rotation{}, false
		}
	}
	return r, true
}

// Leader is the member whose turn it is.
func (r Rotation) Leader() int { return r.leader }

// Set is who takes turns.
func (r Rotation) Set() *Set { return r.set }

// Priorities is a copy of the state, one number a member.
func (r Rotation) Priorities() []int64 { return slices.Clone(r.priority) }

// Next is the rotation one turn later.
func (r Rotation) Next() Rotation {
	n := Rotation{set: r.set, priority: slices.Clone(r.priority)}
	n.settle()
	for i, m := range n.set.members {
		n.priority[i] += int64(m.Weight)
		if n.priority[i] > n.priority[n.leader] {
			n.leader = i
		}
	}
	n.priority[n.leader] -= int64(n.set.total)
	return n
}

// After is the rotation k turns later. It costs k times the size of the set.
func (r Rotation) After(k int) Rotation {
	for range k {
		r = r.Next()
	}
	return r
}

// Change is Next with another set. Who stays keeps its priority. Who comes starts an eighth more than a total behind, so that leaving
// and coming back gains nothing.
func (r Rotation) Change(to *Set) Rotation {
	n := Rotation{set: to, priority: make([]int64, to.Len())}
	for i, m := range to.members {
		if old, ok := r.set.Index(m.ID); ok {
			n.priority[i] = r.priority[old]
		} else {
			n.priority[i] = -int64(to.total + to.total/8)
		}
	}
	return n.Next()
}

// settle brings the spread of the priorities to at most twice the total, then their average to zero.
func (r *Rotation) settle() {
	low, high := slices.Min(r.priority), slices.Max(r.priority)
	if most := 2 * int64(r.set.total); high-low > most {
		by := (high - low + most - 1) / most
		for i := range r.priority {
			r.priority[i] /= by
		}
	}
	var whole, rest int64 // the average, without the sum of all that could overflow
	n := int64(len(r.priority))
	for _, p := range r.priority {
		whole += p / n
		rest += p % n
	}
	average := whole + rest/n
	for i := range r.priority {
		r.priority[i] -= average
	}
}
