package proptest_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestImports shows that what is here could have been written by anybody: of the module it imports the public packages
// below it alone.
func TestImports(t *testing.T) {
	const module = "github.com/synodkit/synod/"
	public := []string{module + "stm", module + "env", module + "sync/prop"}
	seen := 0
	require.NoError(t, fs.WalkDir(os.DirFS("../.."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "proptest") {
			return err
		}
		seen++
		f, err := parser.ParseFile(token.NewFileSet(), "../../"+path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range f.Imports {
			imported, _ := strconv.Unquote(i.Path.Value)
			first, _, _ := strings.Cut(imported, "/")
			if strings.Contains(first, ".") && !slices.Contains(public, imported) || imported == "sync" {
				t.Errorf("%s imports %s", path, imported)
			}
		}
		return nil
	}))
	require.Greater(t, seen, 20)
}
