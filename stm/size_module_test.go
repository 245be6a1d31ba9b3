package stm_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
)

const (
	emptyMain = "package main\n\nfunc main() {}\n"
	printMain = "package main\n\nimport (\n\t\"context\"\n\t\"fmt\"\n)\n\nfunc main() { fmt.Println(context.Background()) }\n"
	stmMain   = "package main\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\n\t\"github.com/synodkit/synod/stm\"\n)\n\n" +
		"func main() {\n\tctx, v := context.Background(), stm.NewVar(0)\n" +
		"\tfmt.Println(stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, 1); return nil }), v.Load(ctx))\n}\n"
)

// outside is a module of somebody else's, which has this one as it stands here.
type outside struct {
	t   *testing.T
	dir string
}

func newOutside(t *testing.T, main string) outside {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	o := outside{t, t.TempDir()}
	o.write("main.go", main)
	o.write("go.mod", "module example.com/outside\n\ngo 1.26\n\nrequire github.com/synodkit/synod v0.0.0\n\nreplace github.com/synodkit/synod => "+root+"\n")
	return o
}

func (o outside) write(name, text string) {
	require.NoError(o.t, os.WriteFile(filepath.Join(o.dir, name), []byte(text), 0o644))
}

// run is the go command in the module. It may fetch nothing.
func (o outside) run(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir = o.dir
	c.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "CGO_ENABLED=0")
	out, err := c.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (o outside) must(args ...string) string {
	out, err := o.run(args...)
	require.NoError(o.t, err, "go %v: %s", args, out)
	return out
}

// size is that of the binary, and without symbols.
func (o outside) size() (whole, stripped int64) {
	sizes := [2]int64{}
	for i, flags := range []string{"", "-s -w"} {
		o.must("build", "-ldflags="+flags, "-o", "out", ".")
		info, err := os.Stat(filepath.Join(o.dir, "out"))
		require.NoError(o.t, err)
		sizes[i] = info.Size()
	}
	return sizes[0], sizes[1]
}

// TestOutside is a module that imports stm alone: nothing comes along but the seam, and nothing but the standard library is
// linked. With -long -v it prints what docs/adr/0006 quotes.
func TestOutside(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command")
	}
	o := newOutside(t, stmMain)
	o.must("build", "-o", "out", ".")

	const home = "github.com/synodkit/synod/"
	for path := range strings.Lines(o.must("list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".")) {
		switch path = strings.TrimSpace(path); {
		case path == "", path == "example.com/outside", path == home+"stm", strings.HasPrefix(path, home+"internal/"):
		default:
			t.Error("stm brings along", path)
		}
	}

	mod, err := os.ReadFile(filepath.Join(o.dir, "go.mod"))
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(mod), "require"), "%s", mod)
	require.NotContains(t, string(mod), "indirect")
	sums, _ := os.ReadFile(filepath.Join(o.dir, "go.sum"))
	require.Empty(t, string(sums), "a build wants no sums but this module's own, which a replace takes away")

	linked := o.must("version", "-m", "out")
	require.Equal(t, 1, strings.Count(linked, "\tdep\t"), "%s", linked)
	t.Logf("go %s; linked modules: this one alone", o.must("env", "GOVERSION"))

	if long.N(0, 1) == 0 {
		return
	}
	whole, stripped := o.size()
	for name, main := range map[string]string{"an empty main": emptyMain, "fmt and context": printMain} {
		w, s := newOutside(t, main).size()
		t.Logf("binary: %d bytes (%d stripped); of %s %d (%d); difference %d (%d)", whole, stripped, name, w, s, whole-w, stripped-s)
		require.Less(t, whole-w, int64(2<<20))
	}

	// the module graph, for tools that read it: nothing of it is downloaded for a build
	if all, err := o.run("list", "-m", "all"); err == nil {
		t.Logf("go list -m all: %d modules", strings.Count(all, "\n")+1)
	} else {
		t.Log("go list -m all needs a go.mod that is not in this machine's cache")
	}
}
