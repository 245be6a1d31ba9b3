package pebble

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/store"
)

func nothing(context.Context, *DB) error { return nil }

func TestLockedByAnotherStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "real")
	alias := dir + "-alias"
	require.NoError(t, with(dir, Config{}, func(context.Context, *DB) error {
		require.NoError(t, os.Symlink(dir, alias))
		for _, name := range []string{dir, alias, dir + "/../real"} {
			err := with(name, Config{}, nothing)
			require.ErrorIs(t, err, ErrLocked)
			require.ErrorContains(t, err, dir)
		}
		return nil
	}))
	require.NoError(t, with(alias, Config{}, nothing), "free again")
}

// helperDir makes the test binary a second process: it writes durable batches to the directory, saying so, until it is killed.
const helperDir = "SYNOD_TEST_STORE"

func TestHelperProcess(t *testing.T) {
	dir := os.Getenv(helperDir)
	if dir == "" {
		t.Skip("runs in a process of its own")
	}
	require.NoError(t, with(dir, Config{MemTableBytes: 1 << 16}, func(ctx context.Context, db *DB) error {
		for i := 0; ; i++ {
			tk, err := db.Apply(ctx, put(fmt.Sprintf("k%06d", i), strings.Repeat("v", i%2000)), store.Durability(1+i%2))
			if err == nil {
				err = tk.Wait(ctx)
			}
			if err != nil {
				return err
			}
			fmt.Println("done", i)
		}
	}))
}

func TestKilledProcess(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperProcess$")
	cmd.Env = append(os.Environ(), helperDir+"="+dir)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	last, lines := -1, bufio.NewScanner(out)
	for lines.Scan() {
		_, _ = fmt.Sscanf(lines.Text(), "done %d", &last)
		if last == 150 {
			require.ErrorIs(t, with(dir, Config{}, nothing), ErrLocked)
			require.NoError(t, cmd.Process.Kill())
		}
	}
	_ = cmd.Wait()
	require.GreaterOrEqual(t, last, 150)
	require.NoError(t, with(dir, Config{}, func(_ context.Context, db *DB) error {
		n := 0
		for e, err := range db.Scan(nil, nil) {
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("k%06d", n), string(e.Key), "a prefix")
			require.Len(t, e.Value, n%2000)
			n++
		}
		require.Greater(t, n, last, "what was done is there")
		return nil
	}))
}

func TestForeignDirectory(t *testing.T) {
	for name, make := range map[string]func(dir string) error{
		"somebody's file":  func(dir string) error { return os.WriteFile(dir+"/thesis.txt", []byte("x"), 0o600) },
		"somebody's store": func(dir string) error { return os.WriteFile(dir+"/MANIFEST-000001", nil, 0o600) },
		"a folder":         func(dir string) error { return os.Mkdir(dir+"/db", 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, make(dir))
			before := listing(t, dir)
			err := with(dir, Config{}, nothing)
			require.ErrorIs(t, err, ErrForeign)
			require.ErrorContains(t, err, dir)
			require.Equal(t, before, listing(t, dir), "nothing is changed, not even a lock file")
		})
	}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte("mine"), 0o600))
	err := with(file, Config{}, nothing)
	require.ErrorContains(t, err, file)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "mine", string(content))
}

// listing is every file's name and content.
func listing(t *testing.T, dir string) map[string]string {
	out := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == lockName {
			return err
		}
		b, err := os.ReadFile(path)
		out[path] = string(b)
		return err
	}))
	return out
}

func TestVersion(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, with(dir, Config{}, nothing))
	require.NoError(t, os.WriteFile(dir+"/"+markerName, []byte("synod store 2 ready\n"), 0o600))
	before := listing(t, dir)
	err := with(dir, Config{}, nothing)
	require.ErrorIs(t, err, ErrVersion)
	require.ErrorContains(t, err, dir)
	require.Equal(t, before, listing(t, dir))
}

// A creation that was cut short is begun again; a finished store whose files are gone is corrupt, not new.
func TestUnfinishedCreation(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, with(dir, Config{}, nothing))
	require.NoError(t, os.WriteFile(dir+"/"+markerName, []byte(markerCreating), 0o600))
	require.NoError(t, os.WriteFile(dir+"/MANIFEST-000001", []byte("half"), 0o600))
	require.NoError(t, with(dir, Config{}, nothing))
	require.NoError(t, with(dir, Config{}, nothing))

	for name := range listing(t, dir) {
		if filepath.Base(name) != markerName {
			require.NoError(t, os.Remove(name))
		}
	}
	err := with(dir, Config{}, nothing)
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, dir)
	require.Len(t, listing(t, dir), 1)
}

func TestConfigNamesTheField(t *testing.T) {
	require.ErrorContains(t, with(t.TempDir(), Config{QueueMax: -1}, nothing), "QueueMax")
	require.ErrorContains(t, with(t.TempDir(), Config{QueueBytesMax: 1}, nothing), "QueueBytesMax")
}
