package explore

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/synodkit/synod/consensus/rule"
)

// ErrUnfinished says that there are more states than World.StatesMax.
var ErrUnfinished = errors.New("explore: more states than StatesMax")

// ErrPanic says that a guard or an action has panicked: guards must be total.
var ErrPanic = errors.New("explore: panic")

const statesMax = 20_000_000

// Violation is a state that must not be, and a shortest way there.
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
	States      int            // different
	Transitions int            // steps made; several may lead to one state
	Cut         int            // states outside Bound, which were not entered
	Goals       int            // states in which Goal holds
	Depth       int            // steps to the farthest state
	Fired       map[string]int // steps by rule; one that never fired proves nothing
	Err         error          // nil, a *Violation, or ErrUnfinished
}

// Run looks at all states of w, breadth first, so that a violation comes with a shortest story.
func Run[P any](w rule.World[P]) Result { return run(w, func(*rule.Machine[P]) {}) }

// Without is Run with one named conjunct of one rule deleted.
func Without[P any](w rule.World[P], name, conjunct string) Result {
	return run(w, func(m *rule.Machine[P]) { m.Drop(name, conjunct) })
}

func run[P any](w rule.World[P], prepare func(*rule.Machine[P])) Result {
	if w.StatesMax == 0 {
		w.StatesMax = statesMax
	}
	for {
		s := &search[P]{w: w, m: w.Machine()}
		prepare(s.m)
		if again := s.run(&w); !again {
			s.res.States = len(s.links)
			s.res.Fired = s.m.Fired()
			return s.res
		}
	}
}

// search is one breadth-first search. States are kept while they wait for their successors; what stays of each is its
// fingerprint, and where it came from.
type search[P any] struct {
	m     *rule.Machine[P]
	w     rule.World[P]
	res   Result
	seen  seen
	links []link // of each state, in the order in which they were found
	words int
	here  uint32 // the state whose successors are looked at
	ids   []uint32
	next  []uint64 // the states of ids
	first []uint64
}

type link struct{ parent, label uint32 }

// run reports whether the world's vector was too small: then the search must begin again.
func (s *search[P]) run(w *rule.World[P]) (again bool) {
	defer func() {
		if r := recover(); r != nil {
			if again = w.Grow(r); !again {
				s.fail(fmt.Errorf("%w: %s: %v", ErrPanic, s.m.Running(), r), s.here)
			}
		}
	}()
	s.first = slices.Clone(s.m.State())
	s.words = len(s.first)
	s.m.Load(s.first)
	if !s.enter(0) {
		return false
	}
	for len(s.ids) > 0 {
		states, ids := s.next, s.ids
		s.next, s.ids = nil, nil
		for i, id := range ids {
			s.here = id
			s.m.Load(states[i*s.words : (i+1)*s.words])
			s.m.Successors(s.visit)
			if s.res.Err != nil {
				return false
			}
		}
		if len(s.ids) > 0 {
			s.res.Depth++
		}
	}
	return false
}

// visit looks at one successor and reports whether to go on.
func (s *search[P]) visit(label uint32) bool {
	s.res.Transitions++
	if err := s.m.Err(); err != nil {
		s.fail(err, s.here, label)
		return false
	}
	return s.enter(label)
}

// enter takes in the current state, if it is new, and reports whether to go on.
func (s *search[P]) enter(label uint32) bool {
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
	id := uint32(len(s.links))
	s.links = append(s.links, link{s.here, label})
	s.ids = append(s.ids, id)
	s.next = append(s.next, state...)
	if s.w.Invariant != nil {
		if err := s.w.Invariant(tx, ps); err != nil {
			s.fail(err, id)
			return false
		}
	}
	if s.w.Goal != nil && s.w.Goal(tx, ps) {
		s.res.Goals++
	}
	if len(s.links) > s.w.StatesMax {
		s.res.Err = ErrUnfinished
		return false
	}
	return true
}

// fail tells how a state is reached, and what was done there.
func (s *search[P]) fail(err error, state uint32, then ...uint32) {
	v := &Violation{Err: err}
	labels := then
	for id := state; id != 0; id = s.links[id].parent {
		labels = append(labels, s.links[id].label)
	}
	now := slices.Clone(s.m.State())
	s.m.Load(s.first)
	for _, l := range slices.Backward(labels) {
		v.Story = append(v.Story, s.m.Tell(l))
		s.m.Do(l)
	}
	v.State = s.m.Describe()
	s.m.Load(now)
	s.res.Err = v
}
