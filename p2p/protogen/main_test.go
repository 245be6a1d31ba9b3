package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/p2p/protogen/gen"
)

const tablePath = "../keepalive/protocol.go"

// The command makes of a table's files what lies beside them, without the rest of the package.
func TestRun(t *testing.T) {
	for _, c := range []struct {
		dir, gofile string
		args        []string
	}{
		{"../keepalive", "../keepalive/protocol.go", nil},
		{"../chainsync", "../chainsync/doc.go", []string{"../chainsync/protocol.go", "../chainsync/messages.go"}},
		{"gen/testdata/shapes", "gen/testdata/shapes/shapes.go", []string{"-table", "Shapes"}},
	} {
		out := t.TempDir()
		var said bytes.Buffer
		require.NoError(t, run(c.args, c.gofile, out, &said), said.String())
		require.Empty(t, said.String())
		for _, name := range []string{gen.CodeFile, gen.PageFile} {
			got, err := os.ReadFile(filepath.Join(out, name))
			require.NoError(t, err)
			want, err := os.ReadFile(filepath.Join(c.dir, name))
			require.NoError(t, err)
			require.Equal(t, string(want), string(got))
		}
	}
	left, err := filepath.Glob(folder + "*")
	require.NoError(t, err)
	require.Empty(t, left, "the folder is the go command's imagination")
}

// A broken table, and a file that does not compile alone, make nothing, and the message says where.
func TestBroken(t *testing.T) {
	text, err := os.ReadFile(tablePath)
	require.NoError(t, err)
	for want, change := range map[string][2]string{
		`table: broken protocol keepalive: message Pong, rule 0: Cookie: value "nothing" does not exist`: {
			`Of: cookie, Value: "the cookie that went out"},
			}},
			{Tag: 2`, `Of: cookie, Value: "nothing"},
			}},
			{Tag: 2`,
		},
		"table.go:20: undefined: elsewhere": {"Version: 1", "Version: elsewhere"},
	} {
		file := filepath.Join(t.TempDir(), "table.go")
		broken := strings.Replace(string(text), change[0], change[1], 1)
		require.NotEqual(t, string(text), broken)
		require.NoError(t, os.WriteFile(file, []byte(broken), 0o600))
		out := t.TempDir()
		var said bytes.Buffer
		require.ErrorContains(t, run([]string{file}, "", out, &said), "nothing was generated")
		require.Contains(t, said.String(), want)
		made, err := os.ReadDir(out)
		require.NoError(t, err)
		require.Empty(t, made)
	}
}

func TestArguments(t *testing.T) {
	other := filepath.Join(t.TempDir(), "other.go")
	require.NoError(t, os.WriteFile(other, []byte("package other\n"), 0o600))
	noGo := filepath.Join(t.TempDir(), "none.go")
	require.NoError(t, os.WriteFile(noGo, []byte("no Go\n"), 0o600))
	for want, args := range map[string][]string{
		"no file":                            {},
		"flag provided but not defined":      {"-fast"},
		`-table "a b"`:                       {"-table", "a b", tablePath},
		"no such file":                       {"nowhere.go"},
		"is of package other, not keepalive": {tablePath, other},
		"two files protocol.go":              {tablePath, tablePath},
		"expected 'package'":                 {noGo},
	} {
		require.ErrorContains(t, run(args, "", t.TempDir(), new(bytes.Buffer)), want)
	}
}
