package tidy

import (
	"go/ast"
	"strings"
)

// eachImport calls fn for every import spec of a file.
func eachImport(f *File, fn func(spec *ast.ImportSpec, path string)) {
	for _, spec := range f.AST.Imports {
		fn(spec, importPath(spec))
	}
}

// own is the directory of an import of this module.
func (t *Tree) own(imp string) (dir string, ok bool) {
	if imp == t.Module {
		return ".", true
	}
	return strings.CutPrefix(imp, t.Module+"/")
}

func floorRule() Rule {
	return Rule{
		Name:  "floor",
		Holds: "every package is in floors.txt and imports lower floors only",
		Package: func(p *Pass, pkg *Package) {
			files := pkg.Production()
			if _, ok := p.Policy.Floor(pkg.Dir); !ok && len(files) > 0 {
				p.Report(files[0], files[0].AST.Package, "package %s has no floor: give it a line in floors.txt", pkg.Dir)
			}
		},
		File: func(p *Pass, f *File) {
			from, ok := p.Policy.Floor(f.Pkg.Dir)
			if !ok {
				return // reported for the package
			}
			top := from - 1
			if f.Pkg.IsTestHelper() {
				top = from
			}
			eachImport(f, func(spec *ast.ImportSpec, imp string) {
				dep, ok := p.Tree.own(imp)
				if !ok {
					return
				}
				to, ok := p.Policy.Floor(dep)
				switch {
				case !ok:
					p.Report(f, spec.Pos(), "%s imports %s, which has no floor: give it a line in floors.txt", f.Pkg.Dir, dep)
				case to > top:
					p.Report(f, spec.Pos(), "%s (floor %d) imports %s (floor %d): declare the small interface you need here, or move the code to a higher floor", f.Pkg.Dir, from, dep, to)
				}
			})
		},
	}
}

func thirdPartyRule() Rule {
	return Rule{
		Name:  "thirdparty",
		Holds: "a package imports only the third-party modules that its line in floors.txt names",
		File: func(p *Pass, f *File) {
			eachImport(f, func(spec *ast.ImportSpec, imp string) {
				first, _, _ := strings.Cut(imp, "/")
				_, own := p.Tree.own(imp)
				switch {
				case own || !strings.Contains(first, ".") || inModule(p.Policy.Modules(f.Pkg.Dir), imp):
				case inModule(p.Policy.TestModules(), imp):
					p.Report(f, spec.Pos(), "%s is for _test.go files only: return an error or a value that the test can check", imp)
				default:
					p.Report(f, spec.Pos(), "%s may not import %s: use the standard library, or put an adapter on its own leaf package and name the module in floors.txt", f.Pkg.Dir, imp)
				}
			})
		},
	}
}

func simRule() Rule {
	return Rule{
		Name:  "sim",
		Holds: "code that runs in production never imports the simulator",
		File: func(p *Pass, f *File) {
			if covers("sim/...", f.Pkg.Dir) || f.Pkg.IsTestHelper() {
				return
			}
			eachImport(f, func(spec *ast.ImportSpec, imp string) {
				if dep, ok := p.Tree.own(imp); ok && (dep == "sim" || covers("sim/...", dep)) && !p.Allows(f, dep) {
					p.Report(f, spec.Pos(), "production code imports %s: take time, randomness and tasks from env and registry; simulate in a _test.go file", dep)
				}
			})
		},
	}
}

func helperRule() Rule {
	return Rule{
		Name:  "helper",
		Holds: "packages named *test are imported by tests and by each other only",
		File: func(p *Pass, f *File) {
			if f.Pkg.IsTestHelper() {
				return
			}
			eachImport(f, func(spec *ast.ImportSpec, imp string) {
				if dep, ok := p.Tree.own(imp); ok && isTestHelper(dep) {
					p.Report(f, spec.Pos(), "production code imports the test package %s: import it in a _test.go file", dep)
				}
			})
		},
	}
}

func gomodRule() Rule {
	return Rule{
		Name:  "gomod",
		Holds: "the main go.mod replaces nothing",
		Tree: func(p *Pass) {
			line := 0
			for raw := range strings.Lines(p.Tree.Prose["go.mod"]) {
				line++
				if f := strings.Fields(raw); len(f) > 0 && f[0] == "replace" {
					p.ReportLine("go.mod", line, "a replace holds for nobody who imports the module: require a released version, or use a nested module")
				}
			}
		},
	}
}
