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
	analysistest.Run(t, analysistest.TestData(), New(), "rules/...", "kit/...")
}

// Each rule has a file of what it reports and, but for excuses, one of what comes close.
func TestEveryRuleHasFixtures(t *testing.T) {
	for _, r := range rules() {
		files, err := filepath.Glob(filepath.Join(analysistest.TestData(), "src", "rules", r.name, "*.go"))
		require.NoError(t, err)
		var text strings.Builder
		for _, f := range files {
			b, err := os.ReadFile(f)
			require.NoError(t, err)
			text.Write(b)
		}
		require.Contains(t, text.String(), `\[`+r.name+`\]`, "no fixture of %s quotes the rule's name", r.name)
		if r.name != ruleExcuse {
			require.Len(t, files, 2, "%s wants bad.go and good.go", r.name)
		}
	}
}

func TestDocNamesEveryRule(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	for _, r := range rules() {
		require.Regexp(t, `(?m)^//   - `+r.name+`: `, string(doc))
		require.Contains(t, New().Doc, r.holds)
	}
	require.NoError(t, analysis.Validate([]*analysis.Analyzer{New()}))
}

// gopath is the environment of analysistest: testdata is a GOPATH of its own.
func gopath() []string {
	return append(os.Environ(), "GOPATH="+analysistest.TestData(), "GO111MODULE=off", "GOWORK=off", "GOPROXY=off")
}
