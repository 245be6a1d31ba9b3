package tidy

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"slices"
)

// Finding is one place that breaks a rule.
type Finding struct {
	File string
	Line int
	Rule string
	Text string // what is wrong, and what to write instead
}

// String is "file:line: rule: text".
func (f Finding) String() string { return fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.Rule, f.Text) }

// Rule is one thing that the tree is held to. Whichever of its functions are set
// are called for every file, node, package or once for the tree; File and Node see
// test files only if Tests is set.
type Rule struct {
	Name    string
	Holds   string // one line: what is true of a tidy tree
	Tests   bool
	Node    func(p *Pass, f *File, n ast.Node)
	File    func(p *Pass, f *File)
	Package func(p *Pass, pkg *Package)
	Tree    func(p *Pass)
}

// Pass is one rule at work on a tree.
type Pass struct {
	Tree   *Tree
	Policy *Policy
	rule   Rule
	found  *[]Finding
}

// Report adds a finding at a position in a file.
func (p *Pass) Report(f *File, at token.Pos, format string, args ...any) {
	p.ReportLine(f.Path, p.Tree.Fset.Position(at).Line, format, args...)
}

// ReportLine adds a finding in a file of any kind.
func (p *Pass) ReportLine(file string, line int, format string, args ...any) {
	*p.found = append(*p.found, Finding{File: file, Line: line, Rule: p.rule.Name, Text: fmt.Sprintf(format, args...)})
}

// Allows reports whether floors.txt excuses name in the file's package.
func (p *Pass) Allows(f *File, name string) bool {
	return p.Policy.Allows(p.rule.Name, f.Pkg.Dir, name)
}

// Check runs the rules over the tree, walking each file once, and returns what
// they found by file and line.
func Check(t *Tree, policy *Policy, rules []Rule) []Finding {
	var found []Finding
	var passes []*Pass
	for _, r := range rules {
		passes = append(passes, &Pass{Tree: t, Policy: policy, rule: r, found: &found})
	}
	for _, p := range passes {
		if p.rule.Tree != nil {
			p.rule.Tree(p)
		}
	}
	for _, pkg := range t.Packages {
		for _, p := range passes {
			if p.rule.Package != nil {
				p.rule.Package(p, pkg)
			}
		}
		for _, f := range pkg.Files {
			checkFile(passes, f)
		}
	}
	slices.SortFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Text, b.Text))
	})
	return found
}

func checkFile(passes []*Pass, f *File) {
	var walkers []*Pass
	for _, p := range passes {
		if f.Test && !p.rule.Tests {
			continue
		}
		if p.rule.File != nil {
			p.rule.File(p, f)
		}
		if p.rule.Node != nil {
			walkers = append(walkers, p)
		}
	}
	ast.Inspect(f.AST, func(n ast.Node) bool {
		for _, p := range walkers {
			if n != nil {
				p.rule.Node(p, f, n)
			}
		}
		return true
	})
}

// Unneeded reports the exceptions that no Check with this policy has needed.
func (p *Policy) Unneeded() []Finding {
	var found []Finding
	for _, a := range p.allows {
		if !a.used {
			found = append(found, Finding{File: "internal/tidy/floors.txt", Line: a.line, Rule: a.rule,
				Text: "nothing needs this exception any more: remove the line"})
		}
	}
	return found
}
