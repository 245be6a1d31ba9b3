package consensus

// Tally counts the votes of one slot: each member of a set has one, for a value of V. Sums are kept as votes come; asking costs a look
// at the distinct values, of which there are at most as many as votes. The zero Tally is not usable; see [NewTally].
type Tally[V comparable] struct {
	set    *Set
	values []tallied[V]
	votes  []int32 // per member: the index of its value, plus one
	any    Weight
}

type tallied[V comparable] struct {
	value  V
	weight Weight
}

// NewTally is the empty tally over s.
func NewTally[V comparable](s *Set) *Tally[V] {
	return &Tally[V]{set: s, votes: make([]int32, s.Len())}
}

// Add counts the vote of member i. If it has voted before, nothing is counted: first is that earlier vote, and conflict says that it was
// for another value, which is evidence against the member.
func (t *Tally[V]) Add(i int, v V) (first V, added, conflict bool) {
	if k := t.votes[i]; k > 0 {
		first = t.values[k-1].value
		return first, false, first != v
	}
	w := t.set.members[i].Weight
	t.any += w
	for k := range t.values {
		if t.values[k].value == v {
			t.values[k].weight += w
			t.votes[i] = int32(k) + 1
			return v, true, false
		}
	}
	t.values = append(t.values, tallied[V]{v, w})
	t.votes[i] = int32(len(t.values))
	return v, true, false
}

// For is the weight of the votes for v.
func (t *Tally[V]) For(v V) Weight {
	for _, x := range t.values {
		if x.value == v {
			return x.weight
		}
	}
	return 0
}

// Any is the weight of all votes.
func (t *Tally[V]) Any() Weight { return t.any }

// Has reports a quorum for v. The quorum is a share of the set's total: [TwoThirds], [OneThird] or [Majority].
func (t *Tally[V]) Has(v V, share func(total Weight) Weight) bool {
	return t.For(v) >= share(t.set.total)
}

// HasAny reports that members of that share have voted, whatever for.
func (t *Tally[V]) HasAny(share func(total Weight) Weight) bool { return t.any >= share(t.set.total) }

// Winner is the value that has the share; false if none has. There is at most one if the share is more than half.
func (t *Tally[V]) Winner(share func(total Weight) Weight) (v V, ok bool) {
	for _, x := range t.values {
		if x.weight >= share(t.set.total) {
			return x.value, true
		}
	}
	return v, false
}

// Vote is what member i voted; false if it did not yet.
func (t *Tally[V]) Vote(i int) (v V, ok bool) {
	if k := t.votes[i]; k > 0 {
		return t.values[k-1].value, true
	}
	return v, false
}
