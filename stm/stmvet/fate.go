package main

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
)

// fate says what is done with a value.
type fate string

const (
	unknown   fate = ""
	called    fate = "called"
	passed    fate = "passed" // to a function that, as far as one knows, only uses it
	committed fate = "given to OnCommit, which runs it when the transaction is over"
	returned  fate = "returned"
	sent      fate = "sent on a channel"
	started   fate = "given to another goroutine"
	stored    fate = "stored"
	kept      fate = "given to a function that keeps it"
)

// outlives reports whether a value with that fate is there after the body.
func (f fate) outlives() bool { return f != unknown && f != called && f != passed }

// fate follows a value from its expression to what becomes of it. A function in a local variable has the fate of that
// variable's uses; depth bounds the chain.
func (c *vet) fate(cur inspector.Cursor, depth int) fate {
	kind, i := cur.ParentEdge()
	parent := cur.Parent()
	switch kind {
	case edge.ParenExpr_X, edge.KeyValueExpr_Value, edge.UnaryExpr_X, edge.TypeAssertExpr_X:
		if u, ok := parent.Node().(*ast.UnaryExpr); ok && u.Op != token.AND {
			return unknown
		}
		return c.fate(parent, depth)
	case edge.SelectorExpr_X: // a method value, unless it is called
		if c.fate(parent, depth).outlives() {
			return c.fate(parent, depth)
		}
	case edge.CallExpr_Fun:
		if parent.ParentEdgeKind() == edge.GoStmt_Call {
			return started
		}
		return called
	case edge.CallExpr_Args:
		return c.fateOfArgument(parent, i, depth)
	case edge.ReturnStmt_Results:
		return returned
	case edge.SendStmt_Value:
		return sent
	case edge.CompositeLit_Elts:
		if _, ok := c.info.TypeOf(parent.Node().(ast.Expr)).Underlying().(*types.Struct); ok && c.holdsTx(cur) {
			return stored
		}
		return c.fate(parent, depth)
	case edge.AssignStmt_Rhs:
		a := parent.Node().(*ast.AssignStmt)
		if len(a.Lhs) == len(a.Rhs) {
			return c.fateOfAssigned(a.Lhs[i], cur, depth)
		}
	case edge.ValueSpec_Values:
		if s := parent.Node().(*ast.ValueSpec); len(s.Names) == len(s.Values) {
			return c.fateOfAssigned(s.Names[i], cur, depth)
		}
	}
	return unknown
}

func (c *vet) fateOfArgument(cur inspector.Cursor, i, depth int) fate {
	call := cur.Node().(*ast.CallExpr)
	if c.info.Types[call.Fun].IsType() {
		return c.fate(cur, depth)
	}
	if cur.ParentEdgeKind() == edge.GoStmt_Call {
		return started
	}
	if c.builtin(call) == "append" {
		return c.fate(cur, depth)
	}
	k, _, f := c.known(call)
	switch {
	case f == nil || i < f.Signature().Params().Len() && c.lib.isTx(f.Signature().Params().At(i).Type()):
	case k.rule == "commit":
		return committed
	case k.rule == "later":
		return kept
	case k.rule == ruleGo || k.rule == ruleTime:
		return started
	case f.Pkg() == c.pass.Pkg && c.defs[f].Valid():
		return c.fateOfParameter(f, i, depth)
	}
	return passed
}

// fateOfParameter is what a function of this package does with an argument that is a function: passed, if it calls it.
func (c *vet) fateOfParameter(f *types.Func, i, depth int) fate {
	ps := f.Signature().Params()
	if i >= ps.Len() || i == ps.Len()-1 && f.Signature().Variadic() {
		return passed
	}
	switch x := c.fateOfVar(ps.At(i), depth+1); {
	case x == called:
		return passed
	case x.outlives():
		return kept
	default:
		return x
	}
}

// fateOfAssigned is the fate of what is assigned to lhs.
func (c *vet) fateOfAssigned(lhs ast.Expr, cur inspector.Cursor, depth int) fate {
	id, simple := ast.Unparen(lhs).(*ast.Ident)
	if simple && id.Name == "_" {
		return unknown
	}
	obj := c.owner(lhs)
	if obj == nil || c.outside(c.placeOf(cur.Parent()).root, obj) {
		return stored
	}
	if !simple {
		if v, ok := obj.(*types.Var); ok && v.Kind() == types.LocalVar && !c.holdsTx(cur) {
			return unknown
		}
		return stored
	}
	return c.fateOfVar(obj, depth)
}

// fateOfVar is the fate of a function in a variable. To be called once is enough: that is when what it does counts.
func (c *vet) fateOfVar(obj types.Object, depth int) fate {
	if _, isFunc := obj.Type().Underlying().(*types.Signature); !isFunc || depth > 3 {
		return unknown
	}
	worst := unknown
	for _, use := range c.uses[obj] {
		switch f := c.fate(use, depth+1); {
		case f == called || f == passed:
			return f
		case f != unknown:
			worst = f
		}
	}
	return worst
}
