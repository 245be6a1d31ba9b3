package main

import (
	"bytes"
	"go/token"
	"strings"

	"golang.org/x/tools/go/analysis"
)

const excuseMark = "//linvet:ok"

// excuse is one //linvet:ok comment.
type excuse struct {
	pos    token.Pos
	reason bool
	used   bool
}

type line struct {
	file string
	n    int
}

type excuses struct {
	at  map[line]*excuse
	all []*excuse
}

func findExcuses(pass *analysis.Pass) *excuses {
	e := &excuses{at: map[line]*excuse{}}
	for _, f := range pass.Files {
		for _, group := range f.Comments {
			for _, c := range group.List {
				reason, ok := strings.CutPrefix(c.Text, excuseMark)
				if !ok || reason != "" && reason[0] != ' ' {
					continue
				}
				x := &excuse{pos: c.Pos(), reason: strings.TrimSpace(reason) != ""}
				p := pass.Fset.Position(c.Pos())
				if alone(pass, p) {
					p.Line++
				}
				e.at[line{p.Filename, p.Line}] = x
				e.all = append(e.all, x)
			}
		}
	}
	return e
}

// alone says whether nothing stands before a comment on its line.
func alone(pass *analysis.Pass, p token.Position) bool {
	text, err := pass.ReadFile(p.Filename)
	if err != nil || p.Offset > len(text) {
		return false
	}
	before := text[:p.Offset]
	return len(bytes.TrimSpace(before[bytes.LastIndexByte(before, '\n')+1:])) == 0
}

// covers says whether there is an excuse for a line, and counts it as used.
func (e *excuses) covers(p token.Position) bool {
	x := e.at[line{p.Filename, p.Line}]
	if x == nil {
		return false
	}
	x.used = true
	return x.reason
}

// idle lists the excuses that are none.
func (e *excuses) idle() (fs []finding) {
	for _, x := range e.all {
		switch {
		case !x.reason:
			fs = append(fs, finding{x.pos, ruleExcuse, excuseMark + " without a reason: say why it may stay"})
		case !x.used:
			fs = append(fs, finding{x.pos, ruleExcuse, excuseMark + " excuses nothing: remove it"})
		}
	}
	return fs
}
