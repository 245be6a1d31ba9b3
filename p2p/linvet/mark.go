package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

const (
	linearMark  = "//p2p:linear"
	answersMark = "//p2p:answers"
)

// marked is the fact that a type carries a mark; packages that import it learn it too.
type marked struct{ Mark string }

// AFact makes marked a fact.
func (*marked) AFact() {}

// String is the mark, for the tests of facts.
func (m *marked) String() string { return strings.TrimPrefix(m.Mark, "//p2p:") }

// findMarks exports a fact for each marked type of the package.
func (v *vet) findMarks() {
	for _, f := range v.pass.Files {
		for _, d := range f.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.TYPE {
				continue
			}
			for _, s := range decl.Specs {
				spec := s.(*ast.TypeSpec)
				for _, mark := range []string{linearMark, answersMark} {
					if has(spec.Doc, mark) || !decl.Lparen.IsValid() && has(decl.Doc, mark) {
						v.pass.ExportObjectFact(v.pass.TypesInfo.Defs[spec.Name], &marked{mark})
					}
				}
			}
		}
	}
}

func has(doc *ast.CommentGroup, mark string) bool {
	if doc == nil {
		return false
	}
	for _, c := range doc.List {
		if c.Text == mark {
			return true
		}
	}
	return false
}

// is says whether a type carries a mark.
func (v *vet) is(t types.Type, mark string) bool {
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || n.Obj().Pkg() == nil {
		return false
	}
	var m marked
	return v.pass.ImportObjectFact(n.Origin().Obj(), &m) && m.Mark == mark
}

func (v *vet) linear(t types.Type) bool { return v.is(t, linearMark) }

// name is a type as the package that is looked at would write it.
func (v *vet) name(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == v.pass.Pkg {
			return ""
		}
		return p.Name()
	})
}
