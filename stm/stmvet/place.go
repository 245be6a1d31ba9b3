package main

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

// place says when a piece of code runs.
type place struct {
	kind placeKind
	root ast.Node // the function that is rerun as a whole, or the helper
}

type placeKind uint8

const (
	nowhere     placeKind = iota // at a time not known
	part                         // when the declared function root is called, which takes no tx
	body                         // in a transaction
	afterCommit                  // once, when it has committed
)

// placeOf is the place of the code around cur.
func (c *vet) placeOf(cur inspector.Cursor) place {
	for f := range cur.Enclosing((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		return c.place(f)
	}
	return place{}
}

// place is the place of what stands in the function f.
func (c *vet) place(f inspector.Cursor) place {
	if p, ok := c.places[f.Node()]; ok {
		return p
	}
	c.places[f.Node()] = place{} // what a function that mentions itself finds
	var p place
	switch n := f.Node().(type) {
	case *ast.FuncDecl:
		p = place{part, n}
		if c.takesTx(n.Type) {
			p.kind = body
		}
	case *ast.FuncLit:
		p = c.placeOfLit(f, n)
	}
	c.places[f.Node()] = p
	return p
}

func (c *vet) placeOfLit(f inspector.Cursor, n *ast.FuncLit) place {
	outer := c.placeOf(f.Parent())
	tx := c.takesTx(n.Type)
	if outer.kind == nowhere || outer.kind == part && tx {
		if tx {
			return place{body, n}
		}
		return place{}
	}
	switch fate := c.fate(f, 0); {
	case fate == passed && outer.kind == part: // a helper may well register a callback
		return place{}
	case fate == called || fate == passed || outer.kind == body && isIterator(c.info.TypeOf(n)):
		if tx && outer.kind == afterCommit {
			return place{body, n}
		}
		return outer
	case fate == committed && outer.kind == body && !tx:
		return place{afterCommit, outer.root}
	case tx && outer.kind == body && (fate == unknown || fate == stored): // in a list of alternatives
		return outer
	case tx:
		return place{body, n}
	}
	return place{}
}

// isIterator reports whether t is func(yield func(...) bool): what ranges over it does so where it was made.
func isIterator(t types.Type) bool {
	s, ok := t.Underlying().(*types.Signature)
	if !ok || s.Params().Len() != 1 || s.Results().Len() != 0 {
		return false
	}
	y, ok := s.Params().At(0).Type().Underlying().(*types.Signature)
	return ok && y.Results().Len() == 1 && types.Identical(y.Results().At(0).Type(), types.Typ[types.Bool])
}
