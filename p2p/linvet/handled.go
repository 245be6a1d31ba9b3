package main

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"
)

// checkSwitches: a type switch over the answers of a state thinks of each.
func (v *vet) checkSwitches() {
	in := v.pass.ResultOf[inspect.Analyzer].(*inspector.Inspector)
	in.Preorder([]ast.Node{(*ast.TypeSwitchStmt)(nil)}, func(n ast.Node) {
		s := n.(*ast.TypeSwitchStmt)
		t := v.pass.TypesInfo.TypeOf(subject(s))
		if t == nil || !v.is(t, answersMark) {
			return
		}
		handled, all := v.cases(s)
		if all {
			return
		}
		var missing []string
		for _, a := range answersOf(types.Unalias(t).(*types.Named)) {
			if !handled[a.Obj()] {
				missing = append(missing, "*"+v.name(a))
			}
		}
		if len(missing) > 0 {
			v.report(s.Pos(), ruleUnhandled, "%s can come here too: add a case, or a default", strings.Join(missing, ", "))
		}
	})
}

// subject is the x of x.(type).
func subject(s *ast.TypeSwitchStmt) ast.Expr {
	switch a := s.Assign.(type) {
	case *ast.AssignStmt:
		return a.Rhs[0].(*ast.TypeAssertExpr).X
	case *ast.ExprStmt:
		return a.X.(*ast.TypeAssertExpr).X
	}
	return nil
}

// cases are the answers that a switch names; all says that there is a default.
func (v *vet) cases(s *ast.TypeSwitchStmt) (handled map[types.Object]bool, all bool) {
	handled = map[types.Object]bool{}
	for _, c := range s.Body.List {
		list := c.(*ast.CaseClause).List
		if list == nil {
			return nil, true
		}
		for _, e := range list {
			p, ok := types.Unalias(v.pass.TypesInfo.TypeOf(e)).(*types.Pointer)
			if !ok {
				continue
			}
			if n, ok := types.Unalias(p.Elem()).(*types.Named); ok {
				handled[n.Obj()] = true
			}
		}
	}
	return handled, false
}

// answersOf lists the types of the interface's package whose pointers implement it.
func answersOf(iface *types.Named) (all []*types.Named) {
	scope := iface.Obj().Pkg().Scope()
	for _, name := range scope.Names() {
		tn, ok := scope.Lookup(name).(*types.TypeName)
		if !ok || tn.IsAlias() {
			continue
		}
		n, ok := tn.Type().(*types.Named)
		if ok && !types.IsInterface(n) && types.Implements(types.NewPointer(n), iface.Underlying().(*types.Interface)) {
			all = append(all, n)
		}
	}
	return all
}
