package tidy

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/token"
)

// The limits of the house. They bind what a reader has to hold at once; test and
// generated files are free of the first three.
const (
	fileLinesMax     = 500
	functionLinesMax = 70
	exportsMax       = 30
	methodsMax       = 5
)

func fileRule() Rule {
	return Rule{
		Name:  "file",
		Holds: "a file has at most 500 lines",
		File: func(p *Pass, f *File) {
			if n := bytes.Count(f.Src, []byte("\n")); n > fileLinesMax && !f.Generated {
				p.ReportLine(f.Path, n, "%d lines, at most %d: one concept a file, named after its main type", n, fileLinesMax)
			}
		},
	}
}

func functionRule() Rule {
	return Rule{
		Name:  "function",
		Holds: "a function has at most 70 lines",
		Node: func(p *Pass, f *File, n ast.Node) {
			d, ok := n.(*ast.FuncDecl)
			if !ok || f.Generated {
				return
			}
			lines := p.Tree.Fset.Position(d.End()).Line - p.Tree.Fset.Position(d.Pos()).Line + 1
			if lines > functionLinesMax {
				p.Report(f, d.Pos(), "%s has %d lines, at most %d: name its steps and make them functions", d.Name.Name, lines, functionLinesMax)
			}
		},
	}
}

func exportsRule() Rule {
	return Rule{
		Name:  "exports",
		Holds: "a package exports at most 30 names, methods and generated files not counted",
		Package: func(p *Pass, pkg *Package) {
			n := 0
			for _, f := range pkg.Production() {
				if !f.Generated {
					n += len(exportedNames(f))
				}
			}
			if n > exportsMax {
				f := pkg.Production()[0]
				p.Report(f, f.AST.Package, "%s exports %d names, at most %d: split it by concept", pkg.Dir, n, exportsMax)
			}
		},
	}
}

// exportedNames are the exported types, functions, variables and constants that a
// file declares at package level.
func exportedNames(f *File) []*ast.Ident {
	var names []*ast.Ident
	keep := func(ids ...*ast.Ident) {
		for _, id := range ids {
			if id.IsExported() {
				names = append(names, id)
			}
		}
	}
	for _, decl := range f.AST.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				keep(d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					keep(s.Name)
				case *ast.ValueSpec:
					keep(s.Names...)
				}
			}
		}
	}
	return names
}

func interfaceRule() Rule {
	return Rule{
		Name:  "interface",
		Holds: "an interface has at most 5 methods of its own",
		Node: func(p *Pass, f *File, n ast.Node) {
			s, ok := n.(*ast.TypeSpec)
			if !ok {
				return
			}
			t, ok := s.Type.(*ast.InterfaceType)
			if !ok {
				return
			}
			methods := 0
			for _, m := range t.Methods.List {
				methods += len(m.Names) // embedded interfaces are counted where they are declared
			}
			if methods > methodsMax && !p.Allows(f, s.Name.Name) {
				p.Report(f, s.Pos(), "interface %s has %d methods, at most %d: let the consumer declare the part it needs", s.Name.Name, methods, methodsMax)
			}
		},
	}
}

func formatRule() Rule {
	return Rule{
		Name:  "format",
		Tests: true,
		Holds: "every file is as gofmt leaves it",
		File: func(p *Pass, f *File) {
			want, err := format.Source(f.Src)
			if err != nil {
				p.Report(f, token.NoPos, "gofmt: %v", err)
				return
			}
			if !bytes.Equal(want, f.Src) {
				p.ReportLine(f.Path, firstDifference(f.Src, want), "not as gofmt leaves it: run gofmt -w %s", f.Path)
			}
		},
	}
}

// firstDifference is the number of the first line in which a and b differ.
func firstDifference(a, b []byte) int {
	line := 1
	for i := 0; i < min(len(a), len(b)) && a[i] == b[i]; i++ {
		if a[i] == '\n' {
			line++
		}
	}
	return line
}
