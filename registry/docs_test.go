package registry_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every snippet of the migration guide is a part of the examples, which are compiled and run.
func TestGuideIsCompiled(t *testing.T) {
	guide, err := os.ReadFile("../docs/from-errgroup.md")
	require.NoError(t, err)
	code, err := os.ReadFile("example_errgroup_test.go")
	require.NoError(t, err)
	snippets := strings.Split(string(guide), "```go\n")[1:]
	require.Len(t, snippets, 7)
	for _, s := range snippets {
		s, _, _ = strings.Cut(s, "```")
		require.Contains(t, string(code), s)
	}
}
