package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ast/inspector"
)

const startAnew = "start it anew inside the body, return the result, or do it in tx.OnCommit"

// rerun reports a write that depends on what an undone run has left behind.
func (c *vet) rerun(cur inspector.Cursor, at place) {
	switch n := cur.Node().(type) {
	case *ast.IncDecStmt:
		if !c.countsRuns(n.X) {
			c.doubled(cur, at, n.X, "%s"+n.Tok.String()+" counts undone runs too")
		}
	case *ast.AssignStmt:
		for i, lhs := range n.Lhs {
			c.assigned(cur, at, n, i, lhs)
		}
	case *ast.CallExpr:
		c.changed(cur, at, n)
	}
}

func (c *vet) assigned(cur inspector.Cursor, at place, n *ast.AssignStmt, i int, lhs ast.Expr) {
	rhs := n.Rhs[min(i, len(n.Rhs)-1)]
	switch {
	case n.Tok == token.DEFINE:
	case n.Tok != token.ASSIGN:
		c.doubled(cur, at, lhs, "%s "+n.Tok.String()+" starts from what an undone run has left")
	case c.mentions(rhs, lhs):
		how := "the new %s comes from the old one, which an undone run has left"
		if call, ok := ast.Unparen(rhs).(*ast.CallExpr); ok && c.builtin(call) == "append" {
			how = "the append to %s keeps what undone runs have appended"
		}
		c.doubled(cur, at, lhs, how)
	default:
		c.grown(cur, at, lhs)
	}
}

// grown reports a new key in a captured map, if another run may choose another key.
func (c *vet) grown(cur inspector.Cursor, at place, lhs ast.Expr) {
	x, ok := ast.Unparen(lhs).(*ast.IndexExpr)
	if !ok {
		return
	}
	if _, ok := c.info.TypeOf(x.X).Underlying().(*types.Map); ok && !c.fixed(at, x.Index, 0) {
		c.doubled(cur, at, x.X, "%s keeps the keys that undone runs have set")
	}
}

// changed reports calls that add to a captured value.
func (c *vet) changed(cur inspector.Cursor, at place, call *ast.CallExpr) {
	if c.builtin(call) == "delete" {
		if !c.fixed(at, call.Args[1], 0) {
			c.doubled(cur, at, call.Args[0], "%s lacks the keys that undone runs have deleted")
		}
		return
	}
	k, _, f := c.known(call)
	s := c.subject(call)
	switch {
	case f == nil || s == nil:
	case k.rule == ruleRerun && !(f.Name() == "Add" && c.countsRuns(s)), k.rule == ruleIO && isBuffer(c.info.TypeOf(s)):
		c.doubled(cur, at, s, c.describe(f)+" changes %s in undone runs too")
	}
}

// doubled reports a change of x, unless x is the body's own or has been given a value in it before.
func (c *vet) doubled(cur inspector.Cursor, at place, x ast.Expr, how string) {
	x = strip(x)
	owner := c.owner(x)
	if owner == nil || !c.captured(at, owner, x) || c.begun(cur, at, x, owner) {
		return
	}
	c.report(finding{
		pos: cur.Node().Pos(), rule: ruleRerun, instead: startAnew,
		what: strings.ReplaceAll(how, "%s", types.ExprString(x)),
	})
}

// strip takes parentheses and & off.
func strip(x ast.Expr) ast.Expr {
	x = ast.Unparen(x)
	if u, ok := x.(*ast.UnaryExpr); ok && u.Op == token.AND {
		return ast.Unparen(u.X)
	}
	return x
}

// captured reports whether a variable outlives a run: it was declared outside, or x is a field of the component whose
// method the body is.
func (c *vet) captured(at place, owner types.Object, x ast.Expr) bool {
	if c.outside(at.root, owner) {
		return true
	}
	_, bare := x.(*ast.Ident)
	v, ok := owner.(*types.Var)
	return ok && !bare && v.Kind() == types.RecvVar && c.lib.shared(v.Type())
}

// countsRuns reports whether x is a counter that by its name counts the runs themselves.
func (c *vet) countsRuns(x ast.Expr) bool {
	switch x := strip(x).(type) {
	case *ast.Ident:
		return x.Name == "runs" || x.Name == "attempts" || x.Name == "tries"
	case *ast.SelectorExpr:
		return c.countsRuns(x.Sel)
	case *ast.IndexExpr:
		return c.countsRuns(x.X)
	case *ast.StarExpr:
		return c.countsRuns(x.X)
	}
	return false
}

// mentions reports whether e reads x. Its length alone is no value, and x[:0] is none either.
func (c *vet) mentions(e, x ast.Expr) bool {
	owner, path := c.owner(x), types.ExprString(ast.Unparen(x))
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.SliceExpr:
			if high, ok := n.High.(*ast.BasicLit); ok && high.Value == "0" {
				return false
			}
		case *ast.CallExpr:
			if b := c.builtin(n); b == "len" || b == "cap" {
				return false
			}
		case ast.Expr:
			if types.ExprString(ast.Unparen(n)) == path && c.owner(n) == owner {
				found = true
			}
		}
		return !found
	})
	return found
}
