package tidy

import (
	"go/ast"
	"go/token"
	"strings"
)

// processNames are the calls that only the owner of a process may make, and what
// to do instead; a trailing * is a prefix.
var processNames = []struct{ pkg, name, instead string }{
	{"os", "Exit", "return an error to the main"},
	{"log", "Fatal*", "return an error to the main"},
	{"log", "Set*", "emit an event through a trace.Tracer"},
	{"log/slog", "SetDefault", "emit an event through a trace.Tracer; the main chooses the handler"},
	{"log/slog", "SetLogLoggerLevel", "emit an event through a trace.Tracer"},
}

func processRule() Rule {
	return Rule{
		Name:  "process",
		Holds: "below the mains nothing runs at import time, exits, takes signals or sets a process-wide default",
		Node: func(p *Pass, f *File, n ast.Node) {
			if !p.belowExamples(f) {
				return
			}
			switch x := n.(type) {
			case *ast.FuncDecl:
				if x.Recv == nil && x.Name.Name == "init" && !p.Allows(f, "init") {
					p.Report(f, x.Pos(), "an init function: do the work in a constructor")
				}
			case *ast.ImportSpec:
				if importPath(x) == "os/signal" && !p.Allows(f, "os/signal") {
					p.Report(f, x.Pos(), "os/signal belongs to the main: take a ctx and let the main cancel it")
				}
			case *ast.SelectorExpr:
				processCall(p, f, x)
			}
		},
	}
}

func processCall(p *Pass, f *File, x *ast.SelectorExpr) {
	pkg, name := f.Selected(x)
	for _, c := range processNames {
		if c.pkg == pkg && matches([]string{c.name}, name) && !p.Allows(f, pkg+"."+name) {
			p.Report(f, x.Pos(), "%s.%s is the main's to call: %s", pkg, name, c.instead)
		}
	}
}

func globalRule() Rule {
	return Rule{
		Name:  "global",
		Holds: "below the mains a package-level var is a sentinel error, a _ assertion, or named in floors.txt",
		File: func(p *Pass, f *File) {
			if !p.belowExamples(f) {
				return
			}
			for _, d := range f.AST.Decls {
				if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
					for _, s := range g.Specs {
						checkGlobal(p, f, s.(*ast.ValueSpec))
					}
				}
			}
		},
	}
}

func checkGlobal(p *Pass, f *File, s *ast.ValueSpec) {
	for i, id := range s.Names {
		sentinel := strings.HasPrefix(strings.ToLower(id.Name), "err") && i < len(s.Values) && makesError(f, s.Values[i])
		if id.Name == "_" || sentinel || p.Allows(f, id.Name) {
			continue
		}
		p.Report(f, id.Pos(), "package-level var %s: use a const, a field of the value that owns it, or a function that returns a fresh one; a table that is never written may be named in floors.txt", id.Name)
	}
}

// makesError reports whether e is errors.New(...) or fmt.Errorf(...).
func makesError(f *File, e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	pkg, name := f.Selected(call.Fun)
	return pkg == "errors" && name == "New" || pkg == "fmt" && name == "Errorf"
}
