package main

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

// holdsTx reports whether the expression, or the field it is the value of, is a transaction.
func (c *vet) holdsTx(cur inspector.Cursor) bool {
	switch n := cur.Node().(type) {
	case *ast.KeyValueExpr:
		return c.lib.isTx(c.info.TypeOf(n.Value))
	case ast.Expr:
		return c.lib.isTx(c.info.TypeOf(n))
	}
	return false
}

// owner is the variable that an expression starts from: x of x.f[i]. It is nil for the result of a call.
func (c *vet) owner(e ast.Expr) types.Object {
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		if v, ok := c.info.ObjectOf(x).(*types.Var); ok {
			return v
		}
	case *ast.SelectorExpr:
		if id, ok := x.X.(*ast.Ident); ok {
			if _, ok := c.info.Uses[id].(*types.PkgName); ok {
				return c.owner(x.Sel)
			}
		}
		return c.owner(x.X)
	case *ast.IndexExpr:
		return c.owner(x.X)
	case *ast.SliceExpr:
		return c.owner(x.X)
	case *ast.StarExpr:
		return c.owner(x.X)
	case *ast.TypeAssertExpr:
		return c.owner(x.X)
	case *ast.UnaryExpr:
		return c.owner(x.X)
	}
	return nil
}

// outside reports whether obj was declared outside the function root.
func (c *vet) outside(root ast.Node, obj types.Object) bool {
	return obj != nil && obj.Pos().IsValid() && (root == nil || obj.Pos() < root.Pos() || obj.Pos() >= root.End())
}
