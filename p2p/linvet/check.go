package main

import (
	"cmp"
	"fmt"
	"go/token"
	"slices"

	"golang.org/x/tools/go/analysis"
)

// The rules. doc.go has the contract of each.
const (
	ruleStale     = "stale"
	ruleDropped   = "dropped"
	ruleUnhandled = "unhandled"
	ruleExcuse    = "excuse"
)

// vet looks at one package.
type vet struct {
	pass    *analysis.Pass
	excuses *excuses
	found   []finding
}

type finding struct {
	pos        token.Pos
	rule, what string
}

// report keeps a finding unless it is excused.
func (v *vet) report(pos token.Pos, rule, format string, args ...any) {
	if v.excuses.covers(v.pass.Fset.Position(pos)) {
		return
	}
	v.found = append(v.found, finding{pos, rule, fmt.Sprintf(format, args...)})
}

// flush gives everything to the driver, once, in the order of the text.
func (v *vet) flush() {
	v.found = append(v.found, v.excuses.idle()...)
	slices.SortStableFunc(v.found, func(a, b finding) int { return cmp.Compare(a.pos, b.pos) })
	for _, f := range slices.Compact(v.found) {
		v.pass.Report(analysis.Diagnostic{Pos: f.pos, Category: f.rule, Message: fmt.Sprintf("%s [%s]", f.what, f.rule)})
	}
}
