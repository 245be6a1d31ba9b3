package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"
)

// The fixtures say in their want comments what must be reported, and so what must not.
func TestFixtures(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), New(), "stale", "dropped", "unhandled")
}

// An excuse is a comment, so its want cannot stand beside it.
func TestExcuses(t *testing.T) {
	var rest quiet
	results := analysistest.Run(&rest, analysistest.TestData(), New(), "excuse")
	var said []string
	for _, d := range results[0].Diagnostics {
		said = append(said, d.Message)
	}
	require.Equal(t, []string{
		"//linvet:ok without a reason: say why it may stay [excuse]",
		"the state talk.Busy is dropped: the peer waits for a message that never comes [dropped]",
		"//linvet:ok excuses nothing: remove it [excuse]",
	}, said)
	require.Len(t, rest.errors, 2, "%s", rest.errors)
}

// quiet collects what analysistest did not expect.
type quiet struct{ errors []string }

func (q *quiet) Errorf(format string, _ ...any) { q.errors = append(q.errors, format) }

func TestDocNamesEveryRule(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	for _, rule := range []string{ruleStale, ruleDropped, ruleUnhandled, ruleExcuse} {
		require.Regexp(t, `(?m)^//   - `+rule+`: `, string(doc))
	}
	require.NoError(t, analysis.Validate([]*analysis.Analyzer{New()}))
}

// The marks are those that the generator writes.
func TestMarksAreGenerated(t *testing.T) {
	code, err := os.ReadFile(filepath.Join("..", "keepalive", "protocol_gen.go"))
	require.NoError(t, err)
	require.Equal(t, 4, strings.Count(string(code), "\n"+linearMark+"\ntype "))
	require.Equal(t, 1, strings.Count(string(code), "\n"+answersMark+"\n"))
}
