package main

import (
	"go/ast"
	"go/token"
	"strings"

	"golang.org/x/tools/go/analysis"
)

const excuseMark = "//stmvet:ok"

// excuse is one //stmvet:ok comment. It stands for its own line, or for the next if nothing else is on its own.
type excuse struct {
	pos    token.Pos
	reason bool
	used   bool
}

// line names a line of a file.
type line struct {
	file string
	n    int
}

type excuses struct{ at map[line]*excuse }

func findExcuses(pass *analysis.Pass) *excuses {
	e := &excuses{map[line]*excuse{}}
	for _, f := range pass.Files {
		for _, group := range f.Comments {
			for _, comment := range group.List {
				if reason, ok := strings.CutPrefix(comment.Text, excuseMark); ok && (reason == "" || reason[0] == ' ') {
					at := pass.Fset.Position(comment.Pos())
					if alone(pass.Fset, f, comment) {
						at.Line = pass.Fset.Position(comment.End()).Line + 1
					}
					e.at[line{at.Filename, at.Line}] = &excuse{pos: comment.Pos(), reason: strings.TrimSpace(reason) != ""}
				}
			}
		}
	}
	return e
}

// alone reports whether nothing but the comment is on its line.
func alone(fset *token.FileSet, f *ast.File, comment *ast.Comment) bool {
	n := fset.Position(comment.Pos()).Line
	alone := true
	ast.Inspect(f, func(x ast.Node) bool {
		switch x.(type) {
		case nil, *ast.Comment, *ast.CommentGroup:
			return false
		}
		first, last := fset.Position(x.Pos()).Line, fset.Position(x.End()).Line
		if first == n || last == n {
			alone = false
		}
		return alone && first <= n && n <= last
	})
	return alone
}

// covers reports whether there is an excuse for a line, and counts it as used.
func (e *excuses) covers(p token.Position) bool {
	x := e.at[line{p.Filename, p.Line}]
	if x == nil {
		return false
	}
	x.used = true
	return x.reason
}

// idle lists the excuses that are none.
func (e *excuses) idle() []finding {
	var fs []finding
	for _, x := range e.at {
		switch {
		case !x.reason:
			fs = append(fs, finding{pos: x.pos, rule: ruleExcuse, what: excuseMark + " without a reason", instead: "say why it may stay"})
		case !x.used:
			fs = append(fs, finding{pos: x.pos, rule: ruleExcuse, what: excuseMark + " excuses nothing", instead: "remove it"})
		}
	}
	return fs
}
