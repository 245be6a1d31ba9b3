package tidy

import (
	"go/ast"
	"path"
)

// leakKit is the package whose NoLeaks a TestMain calls.
const leakKit = "registry/registrytest"

func leaksRule() Rule {
	return Rule{
		Name:  "leaks",
		Holds: "every package with tests has a TestMain that calls registrytest.NoLeaks",
		Package: func(p *Pass, pkg *Package) {
			var test *File
			for _, f := range pkg.Files {
				if !f.Test {
					continue
				}
				test = f
				if callsNoLeaks(p, f) {
					return
				}
			}
			if test != nil {
				p.Report(test, test.AST.Package,
					"the tests of %s may leave goroutines behind: add func TestMain(m *testing.M) { registrytest.NoLeaks(m) }", pkg.Dir)
			}
		},
	}
}

// callsNoLeaks reports whether f has a TestMain that calls NoLeaks; the kit's own tests call it without the package's
// name.
func callsNoLeaks(p *Pass, f *File) bool {
	found := false
	for _, d := range f.AST.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv != nil || fn.Name.Name != "TestMain" {
			continue
		}
		ast.Inspect(fn, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if pkg, name := f.Selected(call.Fun); name == "NoLeaks" && pkg == path.Join(p.Tree.Module, leakKit) {
				found = true
			}
			if own, ok := call.Fun.(*ast.Ident); ok && own.Name == "NoLeaks" && f.Pkg.Dir == leakKit {
				found = true
			}
			return true
		})
	}
	return found
}
