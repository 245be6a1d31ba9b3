package explore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/synodkit/synod/consensus/rule"
)

// ErrUnfinished says that there are more states than World.StatesMax.
var ErrUnfinished = errors.New("explore: more states than StatesMax")

// Violation is a state that must not be, and the shortest way there.
type Violation struct {
	Err   error
	Story []string // step by step
	State []string // process by process
}

// Error is what is violated, and the story.
func (v *Violation) Error() string {
	return fmt.Sprintf("%v\n    %s\n  then\n    %s", v.Err, strings.Join(v.Story, "\n    "), strings.Join(v.State, "\n    "))
}

// Unwrap is what is violated.
func (v *Violation) Unwrap() error { return v.Err }

// Result is what a search has seen.
type Result struct {
	States      int // different
	Transitions int // steps made; several may lead to one state
	Cut         int // steps to states outside Bound, which were not entered
	Goals       int // states in which Goal holds
	Depth       int // steps to the farthest state
	Fired       map[string]int
	Sum         uint64 // of the fingerprints: equal sums mean equal sets of states
	Err         error  // nil, a *Violation, or ErrUnfinished
}

// search is one breadth-first search.
type search[P any] struct {
	m      *rule.Machine[P]
	w      rule.World[P]
	res    Result
	seen   seen
	links  []link // of each state, in the order in which they were found
	words  int
	here   uint32
	next   []uint64
	nextID []uint32
	first  []uint64
	fired  map[rule.Label]int
}

type link struct {
	parent uint32
	label  rule.Label
}

// Run looks at all states of w, breadth first, so that a violation comes with a shortest story.
func Run[P any](w rule.World[P]) Result { return run(w, func(*rule.Machine[P]) {}) }

func run[P any](w rule.World[P], prepare func(*rule.Machine[P])) Result {
	if w.StatesMax == 0 {
		w.StatesMax = 20_000_000
	}
	for {
		s := &search[P]{w: w, m: w.Machine(), fired: map[rule.Label]int{}}
		prepare(s.m)
		if again := s.run(&w); !again {
			s.count()
			return s.res
		}
	}
}

// run reports whether the world's vector was too small and the search must begin again.
func (s *search[P]) run(w *rule.World[P]) (again bool) {
	defer func() {
		if r := recover(); r != nil {
			if again = w.Grow(r); !again {
				panic(r)
			}
		}
	}()
	s.first = append([]uint64(nil), s.m.State()...)
	s.words = len(s.first)
	s.m.Load(s.first)
	s.links = append(s.links, link{})
	s.seen.add(fingerprint(s.first))
	s.res.Sum = fingerprint(s.first)
	frontier, ids := s.first, []uint32{0}
	if s.judge(0) {
		return false
	}
	for len(ids) > 0 {
		for i, id := range ids {
			s.here = id
			s.m.Load(frontier[i*s.words : (i+1)*s.words])
			s.m.Successors(s.visit)
			if s.res.Err != nil {
				return false
			}
		}
		if len(s.nextID) > 0 {
			s.res.Depth++
		}
		frontier, s.next = s.next, frontier[:0:0]
		ids, s.nextID = s.nextID, ids[:0]
	}
	return false
}

// visit looks at one successor and reports whether to go on.
func (s *search[P]) visit(l rule.Label) bool {
	s.res.Transitions++
	if err := s.m.Err(); err != nil {
		s.fail(err, s.here, l)
		return false
	}
	state := s.m.State()
	h := fingerprint(state)
	if !s.seen.add(h) {
		return true
	}
	tx, ps := s.m.Processes()
	if s.w.Bound != nil && !s.w.Bound(tx, ps) {
		s.res.Cut++
		return true
	}
	s.res.Sum += h
	id := uint32(len(s.links))
	s.links = append(s.links, link{s.here, l})
	s.nextID = append(s.nextID, id)
	s.next = append(s.next, state...)
	if len(s.links) > s.w.StatesMax {
		s.res.Err = ErrUnfinished
		return false
	}
	return !s.judge(id)
}

// judge looks at a new state and reports whether the search is over.
func (s *search[P]) judge(id uint32) bool {
	tx, ps := s.m.Processes()
	if s.w.Invariant != nil {
		if err := s.w.Invariant(tx, ps); err != nil {
			s.fail(err, s.links[id].parent, s.links[id].label)
			return true
		}
	}
	if s.w.Goal != nil && s.w.Goal(tx, ps) {
		s.res.Goals++
	}
	return false
}

// fail tells how the state after l from parent is reached.
func (s *search[P]) fail(err error, parent uint32, last rule.Label) {
	v := &Violation{Err: err}
	var ls []rule.Label
	if last != 0 || parent != 0 {
		ls = append(ls, last)
	}
	for id := parent; id != 0; id = s.links[id].parent {
		ls = append(ls, s.links[id].label)
	}
	was := append([]uint64(nil), s.m.State()...)
	s.m.Load(s.first)
	for i := len(ls) - 1; i >= 0; i-- {
		v.Story = append(v.Story, s.m.Tell(ls[i]))
		s.m.Do(ls[i])
	}
	v.State = s.m.Describe()
	s.m.Load(was)
	s.res.Err = v
}

func (s *search[P]) count() {
	s.res.States = len(s.links)
}
