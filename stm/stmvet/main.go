package main

import (
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/analysis/singlechecker"
	"golang.org/x/tools/go/ast/inspector"
)

func main() { singlechecker.Main(New()) }

// New makes the analyzer.
func New() *analysis.Analyzer { return build(parseTable(table)) }

// build makes an analyzer that knows certain calls.
func build(known calls) *analysis.Analyzer {
	return &analysis.Analyzer{
		Name:     "stmvet",
		Doc:      "find what does not belong into a transaction body\n\n" + summary(),
		Requires: []*analysis.Analyzer{inspect.Analyzer},
		Run: func(pass *analysis.Pass) (any, error) {
			lib := findSTM(pass.Pkg)
			if lib == nil {
				return nil, nil
			}
			in := pass.ResultOf[inspect.Analyzer].(*inspector.Inspector)
			newVet(pass, in.Root(), lib, known).check()
			return nil, nil
		},
	}
}
