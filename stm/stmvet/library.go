package main

import (
	"go/ast"
	"go/types"
	"strings"
)

// library is the stm that a package imports, under whatever path: a fork, a vendored copy or a fixture is one too.
type library struct {
	path   string // of stm
	prefix string // of the packages beside it
}

// findSTM is the stm that p imports, or nil. The package itself is the engine and not looked at. A package of another
// author's that is called stm has no Query.
func findSTM(p *types.Package) *library {
	for _, imp := range p.Imports() {
		prefix, ok := strings.CutSuffix("/"+imp.Path(), "/stm")
		if !ok {
			continue
		}
		if s := imp.Scope(); s.Lookup("Tx") != nil && s.Lookup("Query") != nil && s.Lookup("OrElse") != nil {
			return &library{path: imp.Path(), prefix: strings.TrimPrefix(prefix+"/", "/")}
		}
	}
	return nil
}

// key is a package's path in the table.
func (l *library) key(p *types.Package) string {
	if rest, ok := strings.CutPrefix(p.Path(), l.prefix); ok && (l.prefix != "" || rest == "stm" || rest == "env" || rest == "registry") {
		return "~/" + rest
	}
	return p.Path()
}

// isTx reports whether t is *stm.Tx.
func (l *library) isTx(t types.Type) bool {
	p, ok := types.Unalias(t).(*types.Pointer)
	return ok && is(p.Elem(), l.path, "Tx")
}

// shared reports whether t points to a struct that has Vars: a component that several tasks know.
func (l *library) shared(t types.Type) bool {
	p, ok := types.Unalias(t).(*types.Pointer)
	if !ok {
		return false
	}
	s, ok := p.Elem().Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for f := range s.Fields() {
		if is(f.Type(), l.path, "Var") {
			return true
		}
	}
	return false
}

// takesTx reports whether a function has a *stm.Tx among its parameters: then it is a body, or a part of one.
func (c *vet) takesTx(t *ast.FuncType) bool {
	for _, f := range t.Params.List {
		if c.lib.isTx(c.info.TypeOf(f.Type)) {
			return true
		}
	}
	return false
}

// waits reports whether a function of another package beside stm wants a context where a body has a transaction.
func (c *vet) waits(f *types.Func) bool {
	if key := c.lib.key(f.Pkg()); f.Pkg() == c.pass.Pkg || !strings.HasPrefix(key, "~/") || strings.Contains(key, "/internal/") {
		return false
	}
	ctx := false
	for p := range f.Signature().Params().Variables() {
		if c.lib.isTx(p.Type()) {
			return false
		}
		ctx = ctx || isContext(p.Type())
	}
	return ctx
}

// isContext reports whether t is context.Context.
func isContext(t types.Type) bool { return is(t, "context", "Context") }
