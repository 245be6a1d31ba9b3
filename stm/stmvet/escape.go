package main

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

// escapes reports transactions that get out of their body.
func (c *vet) escapes() {
	for cur := range c.files.Preorder((*ast.Ident)(nil)) {
		v, ok := c.info.Uses[cur.Node().(*ast.Ident)].(*types.Var)
		if !ok || v.IsField() || !c.lib.isTx(v.Type()) {
			continue
		}
		if f := c.fate(cur, 0); f.outlives() {
			c.escape(cur, v, string(f))
			continue
		}
		if f := c.fateOfCaptors(cur, v); f.outlives() {
			c.escape(cur, v, "used in a function that is "+string(f))
		}
	}
}

func (c *vet) escape(cur inspector.Cursor, v *types.Var, how string) {
	c.report(finding{
		pos: cur.Node().Pos(), rule: ruleEscape, what: v.Name() + " is " + how,
		instead: "it is valid in its body alone; pass it as a parameter, and take values out",
	})
}

// fateOfCaptors is the fate of the functions between a use of v and its declaration.
func (c *vet) fateOfCaptors(cur inspector.Cursor, v *types.Var) fate {
	for f := range cur.Enclosing((*ast.FuncLit)(nil)) {
		if !c.outside(f.Node(), v) {
			break
		}
		if isIterator(c.info.TypeOf(f.Node().(ast.Expr))) {
			continue
		}
		if x := c.fate(f, 0); x.outlives() {
			return x
		}
	}
	return unknown
}
