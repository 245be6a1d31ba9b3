package tidy

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// worldNames are the ways past the seam: an import path, the names banned in it
// (none: the whole package; a trailing * is a prefix), and what to write instead.
var worldNames = []struct {
	pkg     string
	names   []string
	instead string
}{
	{"time", []string{"Now", "Since", "Until"}, "env.Now(ctx), or env.Time(tx) in a transaction"},
	{"time", []string{"Sleep"}, "env.Sleep(ctx, d)"},
	{"time", []string{"After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}, "env.NewTimer(ctx, d), or env.Reached(tx, at) in a transaction"},
	{"context", []string{"With*"}, "env.WithCancel, env.WithCancelCause, env.WithTimeout or env.WithoutCancel"},
	{"context", []string{"AfterFunc"}, "env.AfterFunc"},
	{"crypto/rand", nil, "an io.Reader parameter that the main fills"},
	{"golang.org/x/sync/errgroup", nil, "registry.Run and (*registry.Scope).Go"},
}

// randNames are what math/rand offers that draws from no global source.
var randNames = []string{"New", "NewSource", "NewPCG", "NewChaCha8", "NewZipf", "Rand", "Source", "Source64", "PCG", "ChaCha8", "Zipf"}

func worldRule() Rule {
	return Rule{
		Name:  "world",
		Holds: "time, cancellation, randomness and tasks come through env and registry below the mains",
		Node:  worldNode,
		File: func(p *Pass, f *File) {
			if !p.belowExamples(f) {
				return
			}
			for name := range waitGroups(f.Pkg) {
				reportGoCalls(p, f, name)
			}
		},
	}
}

func worldNode(p *Pass, f *File, n ast.Node) {
	if !p.belowExamples(f) {
		return
	}
	if spec, ok := n.(*ast.ImportSpec); ok {
		worldImport(p, f, spec)
		return
	}
	pkg, name := f.Selected(n)
	full := pkg + "." + name
	for _, w := range worldNames {
		if w.pkg == pkg && matches(w.names, name) && !p.Allows(f, full) {
			p.Report(f, n.Pos(), "%s goes past the simulator: use %s", full, w.instead)
		}
	}
	if (pkg == "math/rand" || pkg == "math/rand/v2") && !slices.Contains(randNames, name) && !p.Allows(f, full) {
		p.Report(f, n.Pos(), "%s draws from the process's generator: use env.Rand(ctx)", full)
	}
}

// worldImport refuses whole packages, and dot imports that would hide a name.
func worldImport(p *Pass, f *File, spec *ast.ImportSpec) {
	imp := importPath(spec)
	dot := spec.Name != nil && spec.Name.Name == "."
	for _, w := range worldNames {
		if w.pkg != imp || p.Allows(f, imp) {
			continue
		}
		if w.names == nil {
			p.Report(f, spec.Pos(), "%s goes past the simulator: use %s", imp, w.instead)
		} else if dot {
			p.Report(f, spec.Pos(), "a dot import of %s hides calls that go past the simulator: import it by name", imp)
			return
		}
	}
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pat string) bool {
		prefix, ok := strings.CutSuffix(pat, "*")
		return pat == name || ok && strings.HasPrefix(name, prefix)
	})
}

// waitGroups are the names that the package's files declare as a sync.WaitGroup,
// whether variable, field, parameter or embedded type.
func waitGroups(pkg *Package) map[string]bool {
	names := map[string]bool{}
	for _, f := range pkg.Production() {
		ast.Inspect(f.AST, func(n ast.Node) bool {
			switch d := n.(type) {
			case *ast.Field:
				if isWaitGroup(f, d.Type) {
					declare(names, d.Names)
				}
			case *ast.ValueSpec:
				if isWaitGroup(f, d.Type) || slices.ContainsFunc(d.Values, func(v ast.Expr) bool { return isWaitGroup(f, v) }) {
					declare(names, d.Names)
				}
			case *ast.AssignStmt:
				for i, v := range d.Rhs {
					if id, ok := d.Lhs[i].(*ast.Ident); ok && d.Tok == token.DEFINE && isWaitGroup(f, v) {
						names[id.Name] = true
					}
				}
			}
			return true
		})
	}
	return names
}

func declare(names map[string]bool, ids []*ast.Ident) {
	for _, id := range ids {
		names[id.Name] = true
	}
	if len(ids) == 0 {
		names["WaitGroup"] = true // embedded
	}
}

// isWaitGroup reports whether e is the type, or a literal, new or address of it.
func isWaitGroup(f *File, e ast.Expr) bool {
	switch x := e.(type) {
	case *ast.StarExpr:
		return isWaitGroup(f, x.X)
	case *ast.UnaryExpr:
		return isWaitGroup(f, x.X)
	case *ast.CompositeLit:
		return isWaitGroup(f, x.Type)
	case *ast.CallExpr:
		id, ok := x.Fun.(*ast.Ident)
		return ok && id.Name == "new" && len(x.Args) == 1 && isWaitGroup(f, x.Args[0])
	case *ast.SelectorExpr:
		pkg, name := f.Selected(x)
		return pkg == "sync" && name == "WaitGroup"
	}
	return false
}

// reportGoCalls finds name.Go and x.name.Go.
func reportGoCalls(p *Pass, f *File, name string) {
	ast.Inspect(f.AST, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok || sel.Sel.Name != "Go" {
			return true
		}
		last := ""
		switch x := sel.X.(type) {
		case *ast.Ident:
			last = x.Name
		case *ast.SelectorExpr:
			last = x.Sel.Name
		}
		if last == name && !p.Allows(f, "sync.WaitGroup.Go") {
			p.Report(f, sel.Pos(), "sync.WaitGroup.Go starts a goroutine without an owner: use (*registry.Scope).Go")
		}
		return true
	})
}

func sleepRule() Rule {
	return Rule{
		Name:  "sleep",
		Tests: true,
		Holds: "no test sleeps",
		Node: func(p *Pass, f *File, n ast.Node) {
			if pkg, name := f.Selected(n); f.Test && pkg == "time" && name == "Sleep" && !p.Allows(f, "time.Sleep") {
				p.Report(f, n.Pos(), "time.Sleep in a test: wait for the thing itself, in a transaction or on a channel")
			}
		},
	}
}
