package tidy

import (
	"go/ast"
	"path"
	"strings"
)

func docRule() Rule {
	return Rule{
		Name:  "doc",
		Holds: "every package has a doc.go whose comment opens with what the package is",
		Package: func(p *Pass, pkg *Package) {
			for _, f := range pkg.Files {
				if path.Base(f.Path) != "doc.go" {
					continue
				}
				opening := "Package " + pkg.Name + " "
				if pkg.Name == "main" {
					opening = "Command " + path.Base(pkg.Dir) + " "
				}
				if !strings.HasPrefix(f.AST.Doc.Text(), opening) {
					p.Report(f, f.AST.Package, "the package comment does not open with %q: say what it is and when not to use it", opening)
				}
				return
			}
			p.Report(pkg.Files[0], pkg.Files[0].AST.Package, "%s has no doc.go: say there what the package is, when not to use it, and what it guarantees", pkg.Dir)
		},
	}
}

func commentRule() Rule {
	return Rule{
		Name:  "comment",
		Holds: "every exported name and every exported method of an exported type is documented",
		File: func(p *Pass, f *File) {
			if f.Generated || f.Pkg.Name == "main" {
				return
			}
			for _, decl := range f.AST.Decls {
				switch d := decl.(type) {
				case *ast.FuncDecl:
					if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || ast.IsExported(receiver(d.Recv.List[0].Type))) {
						undocumented(p, f, d.Name)
					}
				case *ast.GenDecl:
					checkSpecs(p, f, d)
				}
			}
		},
	}
}

// checkSpecs lets one comment on a group stand for its members: a const block of
// one kind is explained once.
func checkSpecs(p *Pass, f *File, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && s.Doc == nil && s.Comment == nil && (d.Doc == nil || d.Lparen.IsValid()) {
				undocumented(p, f, s.Name)
			}
		case *ast.ValueSpec:
			for _, id := range s.Names {
				if id.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
					undocumented(p, f, id)
				}
			}
		}
	}
}

func undocumented(p *Pass, f *File, id *ast.Ident) {
	p.Report(f, id.Pos(), "%s is exported without a comment: say its guarantee and its limit, or unexport it", id.Name)
}

// receiver is the name of a receiver's type.
func receiver(t ast.Expr) string {
	switch x := t.(type) {
	case *ast.StarExpr:
		return receiver(x.X)
	case *ast.IndexExpr:
		return receiver(x.X)
	case *ast.IndexListExpr:
		return receiver(x.X)
	case *ast.ParenExpr:
		return receiver(x.X)
	case *ast.Ident:
		return x.Name
	}
	return ""
}
