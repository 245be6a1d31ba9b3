package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"

	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"
)

// helper is a declared function of this package that takes no transaction.
type helper struct {
	effects []finding
	calls   []*types.Func
	seen    bool
}

// use is a call from a body.
type use struct {
	pos token.Pos
	of  *types.Func
}

// helper is what is known of the declared function f.
func (c *vet) helper(f ast.Node) *helper {
	obj, _ := c.info.Defs[f.(*ast.FuncDecl).Name].(*types.Func)
	h := c.helpers[obj]
	if h == nil {
		h = &helper{}
		c.helpers[obj] = h
	}
	return h
}

// call notes a call of a function of this package.
func (c *vet) call(cur inspector.Cursor, at place) {
	call, ok := cur.Node().(*ast.CallExpr)
	if !ok {
		return
	}
	f := typeutil.StaticCallee(c.info, call)
	if f == nil || f.Pkg() != c.pass.Pkg {
		return
	}
	if at.kind == body {
		c.fromBodies = append(c.fromBodies, use{call.Pos(), f})
		return
	}
	h := c.helper(at.root)
	h.calls = append(h.calls, f)
}

// reportHelpers reports calls from bodies whose callee, or what it calls in this package, has an effect.
func (c *vet) reportHelpers() {
	for _, u := range c.fromBodies {
		for _, h := range c.helpers {
			h.seen = false
		}
		e := c.reaches(u.of)
		if e == nil {
			continue
		}
		at := c.position(e.pos)
		c.report(finding{pos: u.pos, rule: e.rule, instead: e.instead,
			what: fmt.Sprintf("%s in a transaction comes to %s (%s:%d)", u.of.Name(), e.what, filepath.Base(at.Filename), at.Line)})
	}
}

// reaches is the first effect that f comes to, or nil. It goes on after it, for the excuses on its way.
func (c *vet) reaches(f *types.Func) *finding {
	h := c.helpers[f]
	if h == nil || h.seen {
		return nil
	}
	h.seen = true
	var first *finding
	for i := range h.effects {
		if !c.excuses.covers(c.position(h.effects[i].pos)) && first == nil {
			first = &h.effects[i]
		}
	}
	for _, g := range h.calls {
		if e := c.reaches(g); first == nil {
			first = e
		}
	}
	return first
}
