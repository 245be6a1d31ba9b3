package main

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"
)

// effectTypes are the nodes that can be an effect, or a write.
func effectTypes() []ast.Node {
	return []ast.Node{
		(*ast.SendStmt)(nil), (*ast.UnaryExpr)(nil), (*ast.RangeStmt)(nil), (*ast.SelectStmt)(nil), (*ast.GoStmt)(nil),
		(*ast.CallExpr)(nil), (*ast.SelectorExpr)(nil), (*ast.AssignStmt)(nil), (*ast.IncDecStmt)(nil),
	}
}

// effect is what the node does that a rerun would do again.
func (c *vet) effect(cur inspector.Cursor, at place) (finding, bool) {
	f := finding{pos: cur.Node().Pos(), rule: ruleChannel}
	switch n := cur.Node().(type) {
	case *ast.SendStmt:
		f.what, f.pos = "a send", n.Arrow
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			f.what = "a receive"
		}
	case *ast.RangeStmt:
		if isChannel(c.info.TypeOf(n.X)) {
			f.what = "a range over a channel"
		}
	case *ast.SelectStmt:
		f.what = "a select"
	case *ast.GoStmt:
		f.rule, f.what = ruleGo, "a go statement"
	case *ast.SelectorExpr:
		if v, ok := c.info.Uses[n.Sel].(*types.Var); ok && v.Pkg() != nil && v.Pkg().Path() == "crypto/rand" && v.Name() == "Reader" {
			f.rule, f.what = ruleRand, "crypto/rand.Reader"
		}
	case *ast.CallExpr:
		f.rule, f.what, f.instead = c.effectOfCall(n, at)
	}
	return f, f.what != "" && !inComm(cur)
}

func isChannel(t types.Type) bool {
	if t == nil {
		return false
	}
	_, ok := t.Underlying().(*types.Chan)
	return ok
}

// inComm reports whether cur is the communication of a case: its select is reported.
func inComm(cur inspector.Cursor) bool {
	switch n := cur.Node().(type) {
	case *ast.SendStmt:
		return cur.ParentEdgeKind() == edge.CommClause_Comm
	case *ast.UnaryExpr:
		for s := range cur.Enclosing((*ast.ExprStmt)(nil), (*ast.AssignStmt)(nil)) {
			return s.ParentEdgeKind() == edge.CommClause_Comm && n.Op == token.ARROW
		}
	}
	return false
}

func (c *vet) effectOfCall(call *ast.CallExpr, at place) (rule, what, instead string) {
	switch b := c.builtin(call); b {
	case "close":
		return ruleChannel, "a close", ""
	case "print", "println":
		return ruleIO, b, ""
	}
	k, foreign, f := c.known(call)
	if f == nil {
		return "", "", ""
	}
	switch k.rule {
	case "":
		if c.waits(f) {
			return ruleWait, c.describe(f), ""
		}
		return "", "", ""
	case "later", "commit", "pure", ruleRerun:
		return "", "", ""
	}
	if foreign && !c.writesOutside(call, at) {
		return "", "", ""
	}
	return k.rule, c.describe(f), k.instead
}

// builtin is the name of the builtin function that a call names.
func (c *vet) builtin(call *ast.CallExpr) string {
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok {
		if b, ok := c.info.Uses[id].(*types.Builtin); ok {
			return b.Name()
		}
	}
	return ""
}

// known is the function that a call names, and what the table says of it.
func (c *vet) known(call *ast.CallExpr) (k known, foreign bool, f *types.Func) {
	f, _ = typeutil.Callee(c.info, call).(*types.Func)
	if f == nil || f.Pkg() == nil {
		return known{}, false, nil
	}
	k, foreign, _ = c.calls.match(c.lib.key(f.Pkg()), nameOf(f))
	return k, foreign, f
}

// describe names a function as a reader of the call would: time.Now, Mutex.Lock.
func (c *vet) describe(f *types.Func) string {
	if f.Signature().Recv() != nil {
		return nameOf(f)
	}
	return f.Pkg().Name() + "." + f.Name()
}

// subject is what a call changes: the receiver, or the first argument of a function.
func (c *vet) subject(call *ast.CallExpr) ast.Expr {
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && c.info.Selections[sel] != nil {
		return sel.X
	}
	if len(call.Args) > 0 {
		return call.Args[0]
	}
	return nil
}

// writesOutside reports whether the subject of a call is not the body's own. A writer in memory is no device: what it
// doubles is rerun's.
func (c *vet) writesOutside(call *ast.CallExpr, at place) bool {
	s := c.subject(call)
	if s == nil {
		return false
	}
	switch t := c.info.TypeOf(s); {
	case isDevice(t):
		return true
	case isBuffer(t):
		return false
	}
	owner := c.owner(s)
	return owner != nil && c.outside(at.root, owner)
}

// isDevice reports whether what is written to a t goes out of the process.
func isDevice(t types.Type) bool {
	return is(t, "os", "File") || is(t, "net", "Conn") || is(t, "net/http", "ResponseWriter")
}

// isBuffer reports whether what is written to a t stays in memory.
func isBuffer(t types.Type) bool { return is(t, "strings", "Builder") || is(t, "bytes", "Buffer") }

// is reports whether t is, or points to, the named type.
func is(t types.Type, pkg, name string) bool {
	n := named(t)
	return n != nil && n.Obj().Name() == name && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == pkg
}
