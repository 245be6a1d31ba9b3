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

const (
	waitGroupGo = "sync.WaitGroup.Go"
	ownerless   = waitGroupGo + " starts a goroutine without an owner: use (*registry.Scope).Go"
)

func worldRule() Rule {
	return Rule{
		Name:  "world",
		Holds: "time, cancellation, randomness and tasks come through env and registry below the mains",
		Node:  worldNode,
		Package: func(p *Pass, pkg *Package) {
			groups := waitGroups(pkg)
			for _, f := range pkg.Production() {
				if p.belowExamples(f) {
					reportGoCalls(p, f, groups)
				}
			}
		},
	}
}

func worldNode(p *Pass, f *File, n ast.Node) {
	if !p.belowExamples(f) {
		return
	}
	switch x := n.(type) {
	case *ast.ImportSpec:
		worldImport(p, f, x)
		return
	case *ast.SelectorExpr:
		if x.Sel.Name == "Go" && isWaitGroup(f, x.X) && !p.Allows(f, waitGroupGo) {
			p.Report(f, x.Pos(), ownerless)
		}
	case *ast.StructType:
		for _, field := range x.Fields.List {
			if len(field.Names) == 0 && isWaitGroup(f, field.Type) && !p.Allows(f, waitGroupGo) {
				p.Report(f, field.Pos(), "an embedded sync.WaitGroup hides calls of its Go: give the field a name")
			}
		}
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

// worldImport refuses whole packages, and dot imports, which would hide a name.
func worldImport(p *Pass, f *File, spec *ast.ImportSpec) {
	imp := importPath(spec)
	if spec.Name != nil && spec.Name.Name == "." {
		p.Report(f, spec.Pos(), "a dot import of %s hides whose names are used: import it by name", imp)
	}
	for _, w := range worldNames {
		if w.pkg == imp && w.names == nil && !p.Allows(f, imp) {
			p.Report(f, spec.Pos(), "%s goes past the simulator: use %s", imp, w.instead)
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
// whether variable, field or parameter.
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
}

// isWaitGroup reports whether e is the type, or a literal, new or address of it.
func isWaitGroup(f *File, e ast.Expr) bool {
	switch x := e.(type) {
	case *ast.ParenExpr:
		return isWaitGroup(f, x.X)
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

// reportGoCalls finds name.Go and x.name.Go of the names in groups.
func reportGoCalls(p *Pass, f *File, groups map[string]bool) {
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
		if groups[last] && !p.Allows(f, waitGroupGo) {
			p.Report(f, sel.Pos(), ownerless)
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
