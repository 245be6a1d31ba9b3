package tidy

import "go/ast"

func goRule() Rule {
	return Rule{
		Name:  "go",
		Holds: "go statements stand in registry and in the simulator's engine alone",
		Node: func(p *Pass, f *File, n ast.Node) {
			if g, ok := n.(*ast.GoStmt); ok && !p.Allows(f, "go") {
				p.Report(f, g.Pos(), "a go statement: give the task an owner with (*registry.Scope).Go, Daemon or registry.Fork")
			}
		},
	}
}

func contextRule() Rule {
	return Rule{
		Name:  "context",
		Holds: "a context is stored in a struct only by registry and internal/seam",
		Node: func(p *Pass, f *File, n ast.Node) {
			s, ok := n.(*ast.StructType)
			if !ok {
				return
			}
			for _, field := range s.Fields.List {
				if holdsContext(f, field.Type) && !p.Allows(f, "context") {
					p.Report(f, field.Pos(), "a context.Context in a struct: pass ctx to the call that blocks, or keep an env.Clock")
				}
			}
		},
	}
}

// holdsContext reports whether a value of type t carries a context. A function
// that takes one does not.
func holdsContext(f *File, t ast.Expr) bool {
	held := false
	ast.Inspect(t, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.FuncType, *ast.StructType, *ast.InterfaceType: // a nested struct is visited on its own
			return false
		}
		if pkg, name := f.Selected(n); pkg == "context" && name == "Context" {
			held = true
		}
		return true
	})
	return held
}
