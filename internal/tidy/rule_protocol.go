package tidy

import (
	"go/ast"
	"go/token"
)

func protocolRule() Rule {
	return Rule{
		Name:  "protocol",
		Holds: "protocol packages wait in transactions: no sync, sync/atomic, channel or select",
		Node: func(p *Pass, f *File, n ast.Node) {
			if what := lowLevel(n); what != "" && p.Policy.Binds("protocol", f.Pkg.Dir) && !p.Allows(f, what) {
				p.Report(f, n.Pos(), "%s in a protocol package: keep state in stm.Vars, wait in a transaction, hand over through a queue of Vars", what)
			}
		},
	}
}

// lowLevel names the means of concurrency that a node is, or "".
func lowLevel(n ast.Node) string {
	switch x := n.(type) {
	case *ast.ImportSpec:
		if imp := importPath(x); imp == "sync" || imp == "sync/atomic" {
			return "import " + imp
		}
	case *ast.ChanType:
		return "a channel type"
	case *ast.SelectStmt:
		return "a select"
	case *ast.SendStmt:
		return "a channel send"
	case *ast.UnaryExpr:
		if x.Op == token.ARROW {
			return "a channel receive"
		}
	}
	return ""
}
