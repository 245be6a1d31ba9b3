package registry

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/synodkit/synod/internal/seam/waitlist"
)

// Tree is a picture of a scope, task or resource and of what it owns, oldest first.
type Tree struct {
	Kind     string // scope, task, daemon, resource, closing
	Name     string
	State    string   // of a scope: open, cancelled, closing; of a resource: held, in release; else running, waiting
	Deadlock bool     // of a scope: see Dump
	Waits    []string // labels of the Vars that the task, or the scope's body, waits for; and the task that a closing does
	Age      time.Duration
	Site     string // where the code of a task, or the call of Acquire, stands
	Below    []Tree
}

// Dump pictures s and everything below it, without stopping anything: parts may be of slightly different moments.
// There is no list of all scopes, which would keep the runtime from finding leaked goroutines: begin at a root.
//
// What a task waits for is known if it waits in a transaction under its own context, or one derived from it; one that
// waits otherwise is running, as far as the registry knows.
//
// A scope is in deadlock if at one moment every task and body in it and below waited, without a time limit, and if
// whatever they waited for is written by these alone: the results of their tasks, the readiness of their daemons, and
// Vars declared with [Owned]. Only a cancellation, or a task that somebody outside starts in it, can end that. Of other
// Vars the registry cannot know who writes them, so a scope that is not said to be in deadlock may be. What makes the
// verdict wrong is a broken promise to Owned, or somebody who waits under the context of a task that does not.
func Dump(s *Scope) Tree {
	return s.tree(s.now(), deadlocks(s))
}

func (s *Scope) tree(now time.Duration, dead map[*Scope]bool) Tree {
	t := Tree{Kind: "scope", Name: s.self.name, Deadlock: dead[s], Age: now - s.self.born, Site: codeSite(s.self.code)}
	s.mu.Lock()
	t.State, t.Waits = s.state(), s.waitsFor()
	at := map[*entry]int{}
	for e := s.stack.youngest; e != nil; e = e.older {
		at[e] = len(t.Below)
		t.Below = append(t.Below, e.describe(now))
	}
	var kids []*Scope
	for k := s.kids.youngest; k != nil; k = k.older {
		kids = append(kids, k.scope)
	}
	s.mu.Unlock()
	slices.Reverse(t.Below)
	slices.Reverse(kids)
	entries := len(t.Below)
	for _, k := range kids {
		into := &t
		if i, ok := at[k.parent()]; ok {
			into = &t.Below[entries-1-i]
		}
		into.Below = append(into.Below, k.tree(now, dead))
	}
	return t
}

// waitsFor are the labels of what the body waits for, or the name of the task that the closing does. The caller holds mu.
func (s *Scope) waitsFor() []string {
	switch c := &s.closer; {
	case !s.joining:
		return s.self.waitsFor()
	case c.parked && c.want != nil:
		return []string{"the end of " + c.want.name}
	case c.parked:
		return []string{"the end of its tasks"}
	}
	return nil
}

// waitsFor are the labels of the Vars that a transaction of e waits for, each once.
func (e *entry) waitsFor() (labels []string) {
	m := e.more.Load()
	if m == nil {
		return nil
	}
	m.waits.Each(func(p waitlist.Wait) {
		p.Each(func(_ uintptr, label string) {
			if label == "" {
				label = "(unlabelled)"
			}
			if !slices.Contains(labels, label) {
				labels = append(labels, label)
			}
		})
	})
	return labels
}

// state is the scope's. The caller holds mu.
func (s *Scope) state() string {
	switch {
	case s.ended:
		return "ended"
	case s.ending.Err() != nil:
		return "cancelled"
	case s.closing:
		return "closing"
	}
	return "open"
}

// describe is one entry without what is below it. The caller holds the scope's mu.
func (e *entry) describe(now time.Duration) Tree {
	t := Tree{Kind: e.kind.String(), Name: e.name, Age: now - e.born, State: "running"}
	if e.kind != resource {
		t.Site, t.Waits = codeSite(e.code), e.waitsFor()
		if len(t.Waits) > 0 {
			t.State = "waiting"
		}
		return t
	}
	t.State, t.Site = "held", pcSite(e.more.Load().held.acquired)
	if e.more.Load().held.releasing() {
		t.State = "in release"
	}
	return t
}

// WriteTo writes the tree as text, one line each, indented.
func (t Tree) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, t.String())
	return int64(n), err
}

// String is the tree as text.
func (t Tree) String() string {
	var b strings.Builder
	t.write(&b, 0)
	return b.String()
}

func (t Tree) write(b *strings.Builder, depth int) {
	name := t.Name
	if name == "" {
		name = "-"
	}
	state := t.State
	if t.Deadlock {
		state += ", in deadlock"
	}
	if len(t.Waits) > 0 {
		state = strings.TrimPrefix(state+", waits for "+strings.Join(t.Waits, ", "), "waiting, ")
	}
	age := t.Age.Round(time.Millisecond)
	fmt.Fprintf(b, "%s%s %s  %s  %v  %s\n", strings.Repeat("  ", depth), t.Kind, name, state, age, t.Site)
	for _, x := range t.Below {
		x.write(b, depth+1)
	}
}
