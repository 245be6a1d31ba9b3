package main

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
)

// fixed reports whether e is the same in every run: it is made of constants, of captured variables that the body does
// not assign, and of what the body ranges over of those. depth bounds the chain of definitions.
func (c *vet) fixed(at place, e ast.Expr, depth int) bool {
	fixed := depth < 8
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			fixed = false
		case *ast.Ident:
			if v, ok := c.info.Uses[n].(*types.Var); ok && !v.IsField() && !c.fixedVar(at, v, depth) {
				fixed = false
			}
		}
		return fixed
	})
	return fixed
}

func (c *vet) fixedVar(at place, v *types.Var, depth int) bool {
	for _, use := range c.uses[v] {
		if !c.outside(at.root, v) || use.Node().Pos() >= at.root.Pos() && use.Node().Pos() < at.root.End() {
			if assigns(use) {
				return false
			}
		}
	}
	if c.outside(at.root, v) {
		return true
	}
	def := c.defs[v]
	switch def.ParentEdgeKind() {
	case edge.RangeStmt_Key, edge.RangeStmt_Value:
		return c.fixed(at, def.Parent().Node().(*ast.RangeStmt).X, depth+1)
	case edge.AssignStmt_Lhs:
		for _, r := range def.Parent().Node().(*ast.AssignStmt).Rhs {
			if !c.fixed(at, r, depth+1) {
				return false
			}
		}
		return true
	}
	return false // a parameter, or more than is looked at
}

// assigns reports whether the use of a variable may give it a value.
func assigns(use inspector.Cursor) bool {
	switch use.ParentEdgeKind() {
	case edge.AssignStmt_Lhs, edge.IncDecStmt_X, edge.RangeStmt_Key, edge.RangeStmt_Value:
		return true
	case edge.UnaryExpr_X:
		return use.Parent().Node().(*ast.UnaryExpr).Op == token.AND
	}
	return false
}

// begun reports whether the body, on every way to cur, has given x a value that owes nothing to an earlier run.
func (c *vet) begun(cur inspector.Cursor, at place, x ast.Expr, owner types.Object) bool {
	for a := range cur.Enclosing() {
		if a.Node() == at.root {
			break
		}
		switch a.ParentEdgeKind() {
		case edge.BlockStmt_List, edge.CaseClause_Body, edge.CommClause_Body:
			for s, ok := a.PrevSibling(); ok; s, ok = s.PrevSibling() {
				if c.begins(s.Node(), x, owner) {
					return true
				}
			}
		}
		if init := initOf(a.Node()); init != nil && c.begins(init, x, owner) {
			return true
		}
	}
	return false
}

func initOf(n ast.Node) ast.Stmt {
	switch n := n.(type) {
	case *ast.IfStmt:
		return n.Init
	case *ast.SwitchStmt:
		return n.Init
	case *ast.TypeSwitchStmt:
		return n.Init
	case *ast.ForStmt:
		return n.Init
	}
	return nil
}

// begins reports whether a statement gives x, or what x is a part of, a new value.
func (c *vet) begins(s ast.Node, x ast.Expr, owner types.Object) bool {
	switch s := s.(type) {
	case *ast.IfStmt:
		return s.Init != nil && c.begins(s.Init, x, owner)
	case *ast.AssignStmt:
		for i, lhs := range s.Lhs {
			rhs := s.Rhs[min(i, len(s.Rhs)-1)]
			if s.Tok == token.ASSIGN && c.isPartOf(x, lhs, owner) && !c.mentions(rhs, lhs) {
				return true
			}
		}
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		if !ok {
			return false
		}
		switch f := call.Fun.(type) {
		case *ast.Ident:
			return c.builtin(call) == "clear" && c.isPartOf(x, call.Args[0], owner)
		case *ast.SelectorExpr:
			return (f.Sel.Name == "Reset" || f.Sel.Name == "Init" || f.Sel.Name == "Store") && c.isPartOf(x, f.X, owner)
		}
	}
	return false
}

// isPartOf reports whether x is whole, or starts with it: a.b[i] is part of a.
func (c *vet) isPartOf(x, whole ast.Expr, owner types.Object) bool {
	if star, ok := ast.Unparen(whole).(*ast.StarExpr); ok {
		whole = star.X
	}
	if c.owner(whole) != owner {
		return false
	}
	path := types.ExprString(ast.Unparen(whole))
	for {
		x = ast.Unparen(x)
		if types.ExprString(x) == path {
			return true
		}
		switch y := x.(type) {
		case *ast.SelectorExpr:
			x = y.X
		case *ast.IndexExpr:
			x = y.X
		case *ast.SliceExpr:
			x = y.X
		case *ast.StarExpr:
			x = y.X
		default:
			return false
		}
	}
}
