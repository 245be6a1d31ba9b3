package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"
)

// vet looks at one package.
type vet struct {
	pass       *analysis.Pass
	info       *types.Info
	files      inspector.Cursor
	lib        *library
	calls      calls
	places     map[ast.Node]place
	uses       map[types.Object][]inspector.Cursor
	defs       map[types.Object]inspector.Cursor
	helpers    map[*types.Func]*helper
	fromBodies []use
	excuses    *excuses
	found      []finding
}

// finding is one violation, or what would be one if a body reached it.
type finding struct {
	pos           token.Pos
	rule          string
	what, instead string
}

func newVet(pass *analysis.Pass, files inspector.Cursor, lib *library, calls calls) *vet {
	c := &vet{
		pass: pass, info: pass.TypesInfo, files: files, lib: lib, calls: calls,
		places:  map[ast.Node]place{},
		uses:    map[types.Object][]inspector.Cursor{},
		defs:    map[types.Object]inspector.Cursor{},
		helpers: map[*types.Func]*helper{},
		excuses: findExcuses(pass),
	}
	for cur := range files.Preorder((*ast.Ident)(nil)) {
		id := cur.Node().(*ast.Ident)
		if obj := c.info.Uses[id]; obj != nil {
			c.uses[obj] = append(c.uses[obj], cur)
		}
		if obj := c.info.Defs[id]; obj != nil {
			c.defs[obj] = cur
		}
	}
	return c
}

// check applies every rule and reports.
func (c *vet) check() {
	for cur := range c.files.Preorder(effectTypes()...) {
		at := c.placeOf(cur)
		if at.kind != body && at.kind != part {
			continue
		}
		f, ok := c.effect(cur, at)
		switch {
		case !ok:
			c.call(cur, at)
		case at.kind == body:
			f.what += " in a transaction"
			c.report(f)
		default:
			h := c.helper(at.root)
			h.effects = append(h.effects, f)
		}
		if at.kind == body {
			c.rerun(cur, at)
		}
	}
	c.reportHelpers()
	c.escapes()
	c.flush()
}

func (c *vet) position(p token.Pos) token.Position { return c.pass.Fset.Position(p) }

// report keeps f unless it is excused.
func (c *vet) report(f finding) {
	if c.excuses.covers(c.position(f.pos)) {
		return
	}
	c.found = append(c.found, f)
}

// flush gives everything to the driver, in the order of the text.
func (c *vet) flush() {
	c.found = append(c.found, c.excuses.idle()...)
	slices.SortStableFunc(c.found, func(a, b finding) int { return cmp.Compare(a.pos, b.pos) })
	for _, f := range c.found {
		if f.instead == "" {
			f.instead = instead(f.rule)
		}
		c.pass.Report(analysis.Diagnostic{
			Pos: f.pos, Category: f.rule,
			Message: fmt.Sprintf("%s: %s [%s]", f.what, f.instead, f.rule),
		})
	}
}
