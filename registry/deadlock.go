package registry

import (
	"slices"

	"github.com/synodkit/synod/internal/seam/waitlist"
)

// survey is one pass over a scope and all below it, looking for who could still write something. Of every scope it
// keeps the parts of its lists that belong to it and what is below it.
type survey struct {
	marks []mark
	waits []uintptr // Vars waited for
	owned []uintptr // Vars that nobody outside writes
	found map[*Scope]finding
}

// mark says that somebody waited, and which of his waits it was. If two passes give the same marks, all waited at once
// at some moment between them.
type mark struct {
	who   any // *entry or *Scope
	parks uint64
}

type finding struct {
	blocked             bool // nobody the registry knows does anything
	marks, waits, owned span
}

type span struct{ from, to int }

// deadlocks are the scopes, s and below, in which nobody can go on: every task, body and closer waits, and nobody else
// writes what they wait for. A cancellation may end that, or a task that somebody outside starts.
func deadlocks(s *Scope) map[*Scope]bool {
	first := surveyOf(s)
	return first.agreed(surveyOf(s))
}

func surveyOf(s *Scope) *survey {
	v := &survey{found: map[*Scope]finding{}}
	v.scope(s)
	return v
}

// agreed are the scopes of which two passes, v before w, say the same.
func (v *survey) agreed(w *survey) map[*Scope]bool {
	dead := map[*Scope]bool{}
	for s, g := range w.found {
		f := v.found[s]
		same := slices.Equal(v.marks[f.marks.from:f.marks.to], w.marks[g.marks.from:g.marks.to])
		dead[s] = same && g.blocked && w.closed(g)
	}
	return dead
}

// closed reports whether all that is waited for in f is written there alone.
func (v *survey) closed(f finding) bool {
	owned := v.owned[f.owned.from:f.owned.to]
	for _, w := range v.waits[f.waits.from:f.waits.to] {
		if !slices.Contains(owned, w) {
			return false
		}
	}
	return true
}

// scope looks at s and all below it, and reports whether Run of s waits for them, however long that takes.
func (v *survey) scope(s *Scope) (waits bool) {
	f := finding{blocked: true}
	f.marks.from, f.waits.from, f.owned.from = len(v.marks), len(v.waits), len(v.owned)
	p := s.parts()
	v.owned = append(v.owned, p.owned...)
	below := map[*entry]bool{} // who is in a scope below, and whether he waits for nothing else than that one
	for _, kid := range p.kids {
		if waits := v.scope(kid); !kid.outlived() {
			_, more := below[kid.parent()]
			below[kid.parent()] = waits && !more
		}
		f.blocked = f.blocked && v.found[kid].blocked
	}
	for _, e := range p.tasks {
		stuck, inside := below[e]
		f.blocked = v.task(e, inside, stuck) && f.blocked
	}
	if p.joining {
		v.marks = append(v.marks, mark{s, uint64(p.parks)})
		f.blocked = f.blocked && p.parked
	} else {
		stuck, inside := below[&s.self]
		f.blocked = v.task(&s.self, inside, stuck) && f.blocked
	}
	f.marks.to, f.waits.to, f.owned.to = len(v.marks), len(v.waits), len(v.owned)
	v.found[s] = f
	return !p.graceRuns
}

// task looks at one task, daemon or body and reports whether it does nothing. One that is in a scope below must not
// wait itself, and one that is not must have exactly one wait: anything else means that contexts are used by others
// than their tasks, and that nothing can be said.
func (v *survey) task(e *entry, inside, stuck bool) bool {
	waits, ends := 0, false // one that waits for no Var waits for its cancellation, on purpose
	m := e.more.Load()
	if m == nil {
		v.marks = append(v.marks, mark{e, 0})
		return inside && stuck
	}
	parks := m.waits.Each(func(p waitlist.Wait) {
		waits++
		before := len(v.waits)
		p.Each(func(at uintptr, _ string) { v.waits = append(v.waits, at) })
		ends = ends || p.Ends() || len(v.waits) == before
	})
	v.marks = append(v.marks, mark{e, parks})
	if inside {
		return stuck && waits == 0
	}
	return waits == 1 && !ends
}

// parts are what a survey needs of a scope at one moment.
type parts struct {
	tasks     []*entry
	kids      []*Scope
	owned     []uintptr
	joining   bool // the closer acts, not the body
	parked    bool // the closer waits for a task
	parks     uint32
	graceRuns bool // Run will return whether the tasks end or not
}

func (s *Scope) parts() parts {
	s.mu.Lock()
	defer s.mu.Unlock()
	ended := s.ending.Err() != nil
	p := parts{joining: s.joining, parks: s.closer.parks, graceRuns: s.bound != nil && s.closing}
	told := ended && s.closer.want == nil && (s.closer.wakeup != nil || s.sim != nil) // and about to go on
	p.parked = s.closer.parked && !told
	for e := s.stack.youngest; e != nil; e = e.older {
		if e.kind != task && e.kind != daemon {
			continue
		}
		p.tasks = append(p.tasks, e)
		if m := e.more.Load(); m != nil && m.result != 0 {
			p.owned = append(p.owned, m.result)
		}
	}
	for k := s.kids.youngest; k != nil; k = k.older {
		p.kids = append(p.kids, k.scope)
	}
	if s.owned != nil {
		for _, at := range s.owned.vars {
			p.owned = append(p.owned, at())
		}
	}
	return p
}

// outlived reports whether Run of s has returned before s was closed.
func (s *Scope) outlived() bool {
	if s.bound == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bound.overdue != nil
}
