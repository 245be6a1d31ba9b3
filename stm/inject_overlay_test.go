package stm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The tests of inject_every_test.go need an engine that calls passed(n) before its n-th statement. Such an engine, like
// one with a planted fault, is built with go test -overlay, so the real one carries nothing for them.

// sites names the statements of the instrumented engine.
var sites []string

// onSite is called at every statement, if it is set.
var onSite func(site int)

func passed(site int) {
	if f := onSite; f != nil {
		f(site)
	}
}

// instrumented are the files in which statements are counted: all of the engine but the conversion of values and what
// only a simulation or a report uses.
func instrumented(t testing.TB) []string {
	all, err := filepath.Glob("*.go")
	require.NoError(t, err)
	return slices.DeleteFunc(all, func(name string) bool {
		return strings.HasSuffix(name, "_test.go") ||
			slices.Contains([]string{"doc.go", "errors.go", "value.go", "clock.go", "order.go", "order_amd64.go", "world.go", "model.go", "contention.go", "race.go", "norace.go"}, name) ||
			strings.HasPrefix(name, "debug")
	})
}

// instrument is src with a call before every statement, and the names of its sites, which are numbered from first.
func instrument(name string, src []byte, first int) (out []byte, names []string, err error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, err
	}
	var at []token.Pos
	list := func(ss []ast.Stmt) {
		for _, s := range ss {
			at = append(at, s.Pos())
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt:
			if len(n.List) > 0 {
				if _, ok := n.List[0].(*ast.CaseClause); ok {
					return true
				}
				if _, ok := n.List[0].(*ast.CommClause); ok {
					return true
				}
			}
			list(n.List)
		case *ast.CaseClause:
			list(n.Body)
		case *ast.CommClause:
			list(n.Body)
		}
		return true
	})
	slices.Sort(at)
	var b bytes.Buffer
	done := 0
	for _, p := range slices.Compact(at) {
		pos := fset.Position(p)
		b.Write(src[done:pos.Offset])
		fmt.Fprintf(&b, "passed(%d); ", first+len(names))
		names = append(names, fmt.Sprint(name, ":", pos.Line, ":", pos.Column))
		done = pos.Offset
	}
	b.Write(src[done:])
	return b.Bytes(), names, nil
}

// needed are the test files that tests on a changed engine are built from; the others would only take time.
var needed = []string{"laws_*", "inject_*", "oracle_test.go", "model_test.go", "debug_test.go", "contention_test.go", "helpers_test.go",
	"rollback_test.go", "mutation_test.go", "norace_test.go", "race_test.go"}

// runChanged runs tests on an engine with a fault, and with a call before every statement if every is set.
func runChanged(t testing.TB, tests string, fault mutant, every bool) (string, error) {
	dir := t.TempDir()
	replace := map[string]string{}
	put := func(name string, text []byte) {
		here, err := filepath.Abs(name)
		require.NoError(t, err)
		there := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(there, text, 0o600))
		replace[here] = there
	}
	all, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var names []string
	for _, f := range all {
		src, err := os.ReadFile(f)
		require.NoError(t, err)
		if f == fault.file {
			require.Equal(t, 1, strings.Count(string(src), fault.old), "the text to replace must be there once")
			src = []byte(strings.Replace(string(src), fault.old, fault.new, 1))
			put(f, src)
		}
		switch {
		case every && slices.Contains(instrumented(t), f):
			out, more, err := instrument(f, src, len(names))
			require.NoError(t, err)
			names = append(names, more...)
			put(f, out)
		case strings.HasSuffix(f, "_test.go") && !slices.ContainsFunc(needed, func(p string) bool { ok, _ := filepath.Match(p, f); return ok }):
			here, err := filepath.Abs(f)
			require.NoError(t, err)
			replace[here] = "" // not there
		}
	}
	if every {
		put("inject_sites_test.go", []byte(fmt.Sprintf("package stm\n\nfunc init() { sites = %#v }\n", names)))
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	list := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(list, overlay, 0o600))
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "go", "test", "-overlay", list, "-vet=off", "-v", "-count=1", "-timeout=60s", "-run", tests, ".",
		"-rapid.nofailfile", "-rapid.checks=2000").CombinedOutput() // a fault is found, not found by luck
	require.NoError(t, ctx.Err(), string(out))
	require.NotContains(t, string(out), "build failed")
	require.NotContains(t, string(out), "no tests to run")
	return string(out), err
}

func TestInstrument(t *testing.T) {
	out, names, err := instrument("x.go", []byte("package x\n\nfunc f() int {\n\tif g() {\n\t\treturn 1\n\t}\n\treturn 2\n}\n"), 7)
	require.NoError(t, err)
	require.Equal(t, "package x\n\nfunc f() int {\n\tpassed(7); if g() {\n\t\tpassed(8); return 1\n\t}\n\tpassed(9); return 2\n}\n", string(out))
	require.Equal(t, []string{"x.go:4:2", "x.go:5:3", "x.go:7:2"}, names)
}
