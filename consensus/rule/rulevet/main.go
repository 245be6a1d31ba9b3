package main

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/singlechecker"
	"golang.org/x/tools/go/types/typeutil"
)

func main() { singlechecker.Main(New()) }

// The rules, as they stand in messages.
const (
	ruleGiven   = "given"
	ruleUnnamed = "unnamed"
	ruleName    = "name"
	ruleEffect  = "effect"
)

// New makes the analyzer.
func New() *analysis.Analyzer {
	return &analysis.Analyzer{
		Name: "rulevet",
		Doc:  "find guards of protocol rules that are no chains of named conjuncts, or have effects",
		Run: func(pass *analysis.Pass) (any, error) {
			v := &vet{pass: pass, funcs: map[*types.Func]*ast.FuncDecl{}, chained: map[*ast.CallExpr]bool{}, pure: map[*ast.FuncDecl]bool{}}
			v.collect()
			v.guards()
			v.strays()
			return nil, nil
		},
	}
}

type vet struct {
	pass    *analysis.Pass
	funcs   map[*types.Func]*ast.FuncDecl
	chained map[*ast.CallExpr]bool // calls of Given that stand where they may
	pure    map[*ast.FuncDecl]bool // looked at
}

func (v *vet) report(at token.Pos, rule, what string) {
	v.pass.Reportf(at, "%s [%s]", what, rule)
}

// collect notes which declaration is whose.
func (v *vet) collect() {
	for _, f := range v.pass.Files {
		for _, d := range f.Decls {
			if fd, ok := d.(*ast.FuncDecl); ok && fd.Body != nil {
				if fn, ok := v.pass.TypesInfo.Defs[fd.Name].(*types.Func); ok {
					v.funcs[fn] = fd
				}
			}
		}
	}
}

// ours reports whether an object belongs to package rule.
func ours(o types.Object) bool {
	if o == nil || o.Pkg() == nil {
		return false
	}
	p := o.Pkg().Path()
	return p == "consensus/rule" || strings.HasSuffix(p, "/consensus/rule")
}

// whenAt is which argument of a constructor is the guard; 0 for what is none.
func whenAt(constructor string) int {
	switch constructor {
	case "Upon", "On":
		return 1
	case "For":
		return 2
	}
	return 0
}

// guards looks at every guard.
func (v *vet) guards() {
	for _, f := range v.pass.Files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			fn := typeutil.StaticCallee(v.pass.TypesInfo, call)
			if fn == nil || !ours(fn) || fn.Signature().Recv() != nil {
				return true
			}
			if i := whenAt(fn.Name()); i > 0 && i < len(call.Args) {
				v.when(call.Args[i])
			}
			return true
		})
	}
}

// when looks at a guard.
func (v *vet) when(e ast.Expr) {
	switch e := ast.Unparen(e).(type) {
	case *ast.FuncLit:
		v.guard(e, e.Body)
	case *ast.Ident, *ast.SelectorExpr:
		if fd := v.declared(e); fd != nil {
			v.guard(fd, fd.Body)
		}
	case *ast.CallExpr: // of a function that makes guards
		if fd := v.declared(e.Fun); fd != nil {
			inspect(fd.Body, func(n ast.Node) {
				if r, ok := n.(*ast.ReturnStmt); ok && len(r.Results) == 1 {
					if lit, ok := r.Results[0].(*ast.FuncLit); ok {
						v.guard(lit, lit.Body)
					}
				}
			})
		}
	}
}

// declared is the declaration that a name stands for, if it is a function of this package.
func (v *vet) declared(e ast.Expr) *ast.FuncDecl {
	id, ok := e.(*ast.Ident)
	if sel, is := e.(*ast.SelectorExpr); is {
		id, ok = sel.Sel, true
	}
	if !ok {
		return nil
	}
	fn, _ := v.pass.TypesInfo.Uses[id].(*types.Func)
	if fn == nil {
		return nil
	}
	return v.funcs[fn.Origin()]
}

func (v *vet) guard(guard ast.Node, body *ast.BlockStmt) {
	names := map[string]bool{}
	inspect(body, func(n ast.Node) {
		if r, ok := n.(*ast.ReturnStmt); ok && len(r.Results) == 1 {
			v.chain(r.Results[0], names)
		}
	})
	v.effects(guard, body)
}

// chain looks at the operands of a returned && chain.
func (v *vet) chain(e ast.Expr, names map[string]bool) {
	e = ast.Unparen(e)
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.LAND {
		v.chain(b.X, names)
		v.chain(b.Y, names)
		return
	}
	if call, ok := e.(*ast.CallExpr); ok && v.given(call) {
		v.chained[call] = true
		v.name(call, names)
		return
	}
	if tv := v.pass.TypesInfo.Types[e]; tv.Value == nil || tv.Value.Kind() != constant.Bool {
		v.report(e.Pos(), ruleUnnamed, "a conjunct without a name: say tx.Given(\"...\", ...)")
	}
}

func (v *vet) name(call *ast.CallExpr, names map[string]bool) {
	if len(call.Args) != 2 {
		return
	}
	tv := v.pass.TypesInfo.Types[call.Args[0]]
	if tv.Value == nil {
		v.report(call.Pos(), ruleName, "the name of a conjunct is made at run time: tools know it by its name, so make it a constant")
		return
	}
	name := constant.StringVal(tv.Value)
	if name == "" || names[name] {
		v.report(call.Pos(), ruleName, "a conjunct has no name, or that of another in its guard")
	}
	names[name] = true
}

// given reports whether a call is one of Tx.Given.
func (v *vet) given(call *ast.CallExpr) bool {
	fn := typeutil.StaticCallee(v.pass.TypesInfo, call)
	return fn != nil && ours(fn) && fn.Name() == "Given" && fn.Signature().Recv() != nil
}

// strays reports every Given that is in no chain.
func (v *vet) strays() {
	for _, f := range v.pass.Files {
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && v.given(call) && !v.chained[call] {
				v.report(call.Pos(), ruleGiven, "Given outside of the && chain that a guard returns")
			}
			return true
		})
	}
}

// inspect visits the nodes of a body that are not inside a function literal.
func inspect(body ast.Node, visit func(ast.Node)) {
	ast.Inspect(body, func(n ast.Node) bool {
		if _, ok := n.(*ast.FuncLit); ok {
			return false
		}
		if n != nil {
			visit(n)
		}
		return true
	})
}
