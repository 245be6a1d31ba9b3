package main

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"
)

// writes reports whether a method of package rule changes or says something.
func writes(method string) bool {
	switch method {
	case "Set", "Append", "Truncate", "Compact", "Arm", "Stop", "Say", "Floor", "Send", "Early", "Inject", "End":
		return true
	}
	return false
}

// effects reports what a guard does beyond looking; function literals in it belong to it. The guard is a FuncLit or a
// FuncDecl.
func (v *vet) effects(guard ast.Node, body *ast.BlockStmt) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt, *ast.DeferStmt, *ast.SendStmt, *ast.SelectStmt:
			v.report(n.Pos(), ruleEffect, "a guard may only look")
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, to := range n.Lhs {
					v.assigned(to, guard, body)
				}
			}
		case *ast.IncDecStmt:
			v.assigned(n.X, guard, body)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				v.assigned(n.Key, guard, body)
				v.assigned(n.Value, guard, body)
			}
		case *ast.CallExpr:
			v.called(n)
		}
		return true
	})
}

// called looks at what a guard calls.
func (v *vet) called(call *ast.CallExpr) {
	fn := typeutil.StaticCallee(v.pass.TypesInfo, call)
	if fn == nil {
		return
	}
	if ours(fn) && fn.Signature().Recv() != nil && writes(fn.Name()) {
		v.report(call.Pos(), ruleEffect, fn.Name()+" in a guard: a guard may only look")
		return
	}
	if fd := v.funcs[fn.Origin()]; fd != nil && !v.pure[fd] {
		v.pure[fd] = true
		v.effects(fd, fd.Body)
	}
}

// assigned reports an assignment to what is not the guard's own: its own are what its body declares, and the copies that
// its parameters are.
func (v *vet) assigned(to ast.Expr, guard ast.Node, body *ast.BlockStmt) {
	if to == nil {
		return
	}
	root, pointer, shared := rootOf(v.pass.TypesInfo, to)
	if root == nil {
		v.report(to.Pos(), ruleEffect, "a guard assigns to what is not its own")
		return
	}
	if root.Name == "_" {
		return
	}
	o := v.pass.TypesInfo.ObjectOf(root)
	parameter := o != nil && guard.Pos() <= o.Pos() && o.Pos() < body.Pos()
	local := o != nil && body.Pos() <= o.Pos() && o.Pos() <= body.End()
	if pointer || !local && (!parameter || shared) {
		v.report(to.Pos(), ruleEffect, "a guard assigns to what is not its own")
	}
}

// rootOf is the variable that an expression is a part of, and whether the way there leads through a pointer, or into
// what copies of the variable share.
func rootOf(info *types.Info, e ast.Expr) (root *ast.Ident, pointer, shared bool) {
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.Ident:
			return x, pointer, shared
		case *ast.SelectorExpr:
			_, p := info.TypeOf(x.X).Underlying().(*types.Pointer)
			pointer = pointer || p
			e = x.X
		case *ast.IndexExpr:
			if _, array := info.TypeOf(x.X).Underlying().(*types.Array); !array {
				shared = true
			}
			e = x.X
		case *ast.StarExpr:
			pointer = true
			e = x.X
		default:
			return nil, pointer, shared
		}
	}
}
