package consensus

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// ErrSet says that members do not make a set.
var ErrSet = errors.New("consensus: not a set of members")

// Limits of a set.
const (
	MembersMax        = 1 << 12
	WeightMax  Weight = 1 << 59 // of a whole set, so that no sum or priority overflows 64 bits
)

// ID names a member: the bytes of its public key, or any name that all members agree on.
type ID string

// String is the ID if it can be printed, else its first bytes in hexadecimal digits.
func (id ID) String() string {
	for _, r := range string(id) {
		if !strconv.IsPrint(r) || r == '\uFFFD' {
			return fmt.Sprintf("%x", string(id)[:min(len(id), 4)])
		}
	}
	return string(id)
}

// Weight is a member's share of the votes.
type Weight uint64

// Member is one of a set.
type Member struct {
	ID     ID
	Weight Weight
}

// Set is an immutable set of weighted members, numbered from 0 in the order of their IDs, so that equal sets have equal numbers.
type Set struct {
	members []Member
	total   Weight
}

// NewSet makes a set of members in any order. ErrSet if there is none, too many, one twice, one without weight, or too much weight.
func NewSet(members ...Member) (*Set, error) {
	if len(members) == 0 || len(members) > MembersMax {
		return nil, fmt.Errorf("%w: %d members instead of 1 to %d", ErrSet, len(members), MembersMax)
	}
	s := &Set{members: slices.Clone(members)}
	slices.SortFunc(s.members, func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	for i, m := range s.members {
		switch {
		case i > 0 && m.ID == s.members[i-1].ID:
			return nil, fmt.Errorf("%w: %v twice", ErrSet, m.ID)
		case m.Weight == 0:
			return nil, fmt.Errorf("%w: %v has no weight", ErrSet, m.ID)
		case m.Weight > WeightMax-s.total:
			return nil, fmt.Errorf("%w: more weight than %d", ErrSet, WeightMax)
		}
		s.total += m.Weight
	}
	return s, nil
}

// Len is the number of members.
func (s *Set) Len() int { return len(s.members) }

// At is the i-th member.
func (s *Set) At(i int) Member { return s.members[i] }

// Total is the weight of all members.
func (s *Set) Total() Weight { return s.total }

// Index is the number of a member; false if id is none.
func (s *Set) Index(id ID) (int, bool) {
	return slices.BinarySearchFunc(s.members, id, func(m Member, id ID) int { return cmp.Compare(m.ID, id) })
}

// Members is a copy of the members, in their order.
func (s *Set) Members() []Member { return slices.Clone(s.members) }

// Equal reports that two sets have the same members with the same weights.
func (s *Set) Equal(t *Set) bool { return slices.Equal(s.members, t.members) }

// RoundRobin is the leader of a view when all members take turns, whatever their weight.
func (s *Set) RoundRobin(view uint64) int { return int(view % uint64(len(s.members))) }
