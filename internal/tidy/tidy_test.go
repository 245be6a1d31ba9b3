package tidy

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTree holds the module itself to every rule.
func TestTree(t *testing.T) {
	text, err := os.ReadFile("floors.txt")
	require.NoError(t, err)
	policy, err := ParsePolicy(string(text))
	require.NoError(t, err)
	tree, err := Read(os.DirFS("../.."))
	require.NoError(t, err)
	require.Equal(t, "github.com/synodkit/synod", tree.Module)
	require.NotEmpty(t, tree.Packages)

	for _, f := range append(Check(tree, policy, Rules()), policy.Unneeded()...) {
		t.Error(f)
	}
}
