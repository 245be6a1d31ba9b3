package main

import (
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/buildssa"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/analysis/singlechecker"
)

func main() { singlechecker.Main(New()) }

// New makes the analyzer.
func New() *analysis.Analyzer {
	return &analysis.Analyzer{
		Name:      "linvet",
		Doc:       "find session states that are used after they were left, or dropped, and answers that are not handled",
		Requires:  []*analysis.Analyzer{inspect.Analyzer, buildssa.Analyzer},
		FactTypes: []analysis.Fact{new(marked)},
		Run: func(pass *analysis.Pass) (any, error) {
			v := &vet{pass: pass, excuses: findExcuses(pass)}
			v.findMarks()
			v.checkStates()
			v.checkSwitches()
			v.flush()
			return nil, nil
		},
	}
}
