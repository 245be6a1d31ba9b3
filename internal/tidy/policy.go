package tidy

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Policy is floors.txt, parsed.
type Policy struct {
	floors []floorLine
	lists  map[string][]string
	allows []*allowance
}

// floorLine is one line "floor pattern modules...".
type floorLine struct {
	floor   int
	pattern string   // a package, or a family "a/..."
	modules []string // third-party modules the package may import
}

// allowance is one line "allow rule package names... # reason".
type allowance struct {
	rule, pattern string
	names         []string
	line          int
	used          bool
}

// ParsePolicy reads the format that the head of floors.txt describes. An
// exception without a reason is an error.
func ParsePolicy(text string) (*Policy, error) {
	p := &Policy{lists: map[string][]string{}}
	line := 0
	for raw := range strings.Lines(text) {
		line++
		code, reason, _ := strings.Cut(raw, "#")
		f := strings.Fields(code)
		if len(f) == 0 {
			continue
		}
		if err := p.add(f, strings.TrimSpace(reason), line); err != nil {
			return nil, fmt.Errorf("tidy: floors.txt:%d: %w", line, err)
		}
	}
	return p, nil
}

func (p *Policy) add(f []string, reason string, line int) error {
	if n, err := strconv.Atoi(f[0]); err == nil {
		if len(f) < 2 {
			return fmt.Errorf("want: floor package modules...")
		}
		p.floors = append(p.floors, floorLine{floor: n, pattern: f[1], modules: f[2:]})
		return nil
	}
	switch f[0] {
	case "bind":
		if len(f) < 3 {
			return fmt.Errorf("want: bind rule packages...")
		}
		p.lists[f[1]] = append(p.lists[f[1]], f[2:]...)
	case "tests":
		p.lists["tests"] = append(p.lists["tests"], f[1:]...)
	case "allow":
		switch {
		case len(f) < 4:
			return fmt.Errorf("want: allow rule package names... # reason")
		case reason == "":
			return fmt.Errorf("an exception needs its reason: allow ... # why")
		}
		p.allows = append(p.allows, &allowance{rule: f[1], pattern: f[2], names: f[3:], line: line})
	default:
		return fmt.Errorf("unknown word %q", f[0])
	}
	return nil
}

// Floor is the floor of a package: by its own line, by its family, or, for a
// *test package without a line of its own, one above its parent.
func (p *Policy) Floor(dir string) (int, bool) {
	l := p.line(dir)
	switch {
	case isTestHelper(dir) && (l == nil || l.pattern != dir):
		n, ok := p.Floor(path.Dir(dir))
		return n + 1, ok
	case l == nil:
		return 0, false
	}
	return l.floor, true
}

// Modules is what the package may import from elsewhere.
func (p *Policy) Modules(dir string) []string {
	if l := p.line(dir); l != nil {
		return l.modules
	}
	return nil
}

// line is the package's own line, else that of its innermost family.
func (p *Policy) line(dir string) *floorLine {
	var best *floorLine
	for i := range p.floors {
		l := &p.floors[i]
		switch {
		case l.pattern == dir:
			return l
		case covers(l.pattern, dir) && (best == nil || len(l.pattern) > len(best.pattern)):
			best = l
		}
	}
	return best
}

// Binds reports whether a "bind rule" line names the package.
func (p *Policy) Binds(rule, dir string) bool {
	return slices.ContainsFunc(p.lists[rule], func(pattern string) bool { return covers(pattern, dir) })
}

// TestModules are the modules that only tests may import.
func (p *Policy) TestModules() []string { return p.lists["tests"] }

// Allows reports whether an exception excuses name in the package, and
// remembers that it was needed.
func (p *Policy) Allows(rule, dir, name string) bool {
	for _, a := range p.allows {
		if a.rule == rule && covers(a.pattern, dir) && (slices.Contains(a.names, name) || a.names[0] == "*") {
			a.used = true
			return true
		}
	}
	return false
}

// covers reports whether pattern names the package, itself or as a family.
func covers(pattern, dir string) bool {
	family, ok := strings.CutSuffix(pattern, "/...")
	return pattern == dir || ok && strings.HasPrefix(dir, family+"/")
}

// inModule reports whether an import path lies in one of the modules.
func inModule(modules []string, imp string) bool {
	return slices.ContainsFunc(modules, func(m string) bool { return imp == m || strings.HasPrefix(imp, m+"/") })
}
