package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/synodkit/synod/registry/registrytest"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

// The fixtures say in their want comments what must be reported, and so what must not.
func TestFixtures(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), New(), "table")
}

func TestDocNamesEveryRule(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	for _, rule := range []string{ruleGiven, ruleUnnamed, ruleName, ruleEffect} {
		require.Regexp(t, `(?m)^//   - `+rule+`: `, string(doc))
	}
	require.NoError(t, analysis.Validate([]*analysis.Analyzer{New()}))
}
