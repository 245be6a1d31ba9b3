package registry

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/synodkit/synod/env"
)

// Tree is a picture of a scope, task or resource and of what it owns, oldest first.
type Tree struct {
	Kind  string // scope, task, daemon, resource, closing
	Name  string
	State string // of a scope: open, cancelled, closing; of a resource: held, in release; else running
	Age   time.Duration
	Site  string // where the code of a task, or the call of Acquire, stands
	Below []Tree
}

// Dump pictures s and everything below it, without stopping anything: parts may be of slightly different moments.
// There is no list of all scopes, which would keep the runtime from finding leaked goroutines: begin at a root.
func Dump(s *Scope) Tree {
	now := env.Now(s.shielded())
	return s.tree(now)
}

func (s *Scope) tree(now time.Time) Tree {
	t := Tree{Kind: "scope", Name: s.self.name, Age: now.Sub(s.born), Site: codeSite(s.self.code)}
	s.mu.Lock()
	t.State = s.state()
	at := map[*entry]int{}
	for e := s.youngest; e != nil; e = e.older {
		at[e] = len(t.Below)
		t.Below = append(t.Below, e.describe(now))
	}
	var kids []*Scope
	for k := s.kids; k != nil; k = k.next {
		kids = append(kids, k)
	}
	s.mu.Unlock()
	slices.Reverse(t.Below)
	slices.Reverse(kids)
	entries := len(t.Below)
	for _, k := range kids {
		into := &t
		if i, ok := at[k.parent]; ok {
			into = &t.Below[entries-1-i]
		}
		into.Below = append(into.Below, k.tree(now))
	}
	return t
}

// state is the scope's. The caller holds mu.
func (s *Scope) state() string {
	switch {
	case s.ended:
		return "ended"
	case s.self.Err() != nil:
		return "cancelled"
	case s.closing:
		return "closing"
	}
	return "open"
}

// describe is one entry without what is below it. The caller holds the scope's mu.
func (e *entry) describe(now time.Time) Tree {
	t := Tree{Kind: e.kind.String(), Name: e.name, Age: now.Sub(e.scope.born) - e.born, State: "running"}
	if e.kind != resource {
		t.Site = codeSite(e.code)
		return t
	}
	t.State, t.Site = "held", pcSite(e.more.Load().held.acquired)
	if e.more.Load().held.releasing() {
		t.State = "in release"
	}
	return t
}

func (e *entry) label() string {
	if p := e.path(); p != "" {
		return p
	}
	return "unnamed scope"
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
	age := t.Age.Round(time.Millisecond)
	fmt.Fprintf(b, "%s%s %s  %s  %v  %s\n", strings.Repeat("  ", depth), t.Kind, name, t.State, age, t.Site)
	for _, x := range t.Below {
		x.write(b, depth+1)
	}
}
