package registrytest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/registry"
)

// recorder is a testing.TB that keeps what is reported.
type recorder struct {
	testing.TB
	cleanup []func()
	errors  []string
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanup = append(r.cleanup, f) }
func (r *recorder) Error(a ...any)   { r.errors = append(r.errors, fmt.Sprint(a...)) }
func (r *recorder) end() {
	for _, f := range r.cleanup {
		f()
	}
}

// few tries are enough for what does not end at all.
const few = 40

func TestMain(m *testing.M) { NoLeaks(m) }

func TestCleanTestPasses(t *testing.T) {
	r := &recorder{TB: t}
	NoLeaksT(r)
	require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		for i := range 100 {
			s.Go(fmt.Sprint(i), func(context.Context) error { return nil })
		}
		return nil
	}))
	r.end()
	require.Empty(t, r.errors)
}

// The planted leak is a scope whose task does not look at its context.
func TestLeakedScopeIsFound(t *testing.T) {
	r := &recorder{TB: t}
	noLeaks(r, few, nil)
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		_ = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			s.Go("deaf", func(context.Context) error { <-stop; return nil })
			return nil
		})
	}()
	r.end()
	close(stop)
	<-ended
	require.Len(t, r.errors, 1)
	require.Equal(t, 2, strings.Count(r.errors[0], "goroutine of a scope"), r.errors[0])
	require.Contains(t, r.errors[0], "TestLeakedScopeIsFound")
}

func TestIgnore(t *testing.T) {
	r := &recorder{TB: t}
	NoLeaksT(r, "registrytest.background1")
	stop, ended := make(chan struct{}), make(chan struct{})
	go background1(stop, ended)
	r.end()
	close(stop)
	<-ended
	require.Empty(t, r.errors)
}

func background1(stop, ended chan struct{}) { <-stop; close(ended) }

func needsList(t *testing.T) {
	if _, err := os.ReadDir(openDir); err != nil {
		t.Skip("the system does not list what a process has open")
	}
}

// A listener and a file have no goroutine; the planted ones are found, and not what was open before.
func TestLeakedListenerAndFileAreFound(t *testing.T) {
	needsList(t)
	old, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer old.Close()
	r := &recorder{TB: t}
	noLeaks(r, few, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f, err := os.Create(filepath.Join(t.TempDir(), "journal"))
	require.NoError(t, err)
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	r.end()
	port := func(a net.Addr) string { _, p, _ := net.SplitHostPort(a.String()); return p }
	require.Len(t, r.errors, 1)
	require.Contains(t, r.errors[0], "tcp listener on port "+port(l.Addr())+", descriptor ")
	require.Contains(t, r.errors[0], "udp socket on port "+port(u.LocalAddr())+", descriptor ")
	require.Contains(t, r.errors[0], "/journal, descriptor ")
	require.Equal(t, 3, strings.Count(r.errors[0], "left behind"), r.errors[0])
	require.NoError(t, errors.Join(l.Close(), f.Close(), u.Close()))
}

// A handle that a leaked scope owns is found with the scope.
func TestLeakedHandleIsFound(t *testing.T) {
	r := &recorder{TB: t}
	noLeaks(r, few, nil)
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		_ = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			_, err := registry.Acquire(s, "listener", func(context.Context) (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") },
				func(_ context.Context, l net.Listener) error { return l.Close() })
			<-stop
			return err
		})
	}()
	r.end()
	close(stop)
	<-ended
	require.Len(t, r.errors, 1)
	require.Contains(t, r.errors[0], "goroutine of a scope")
}

// The files of a profile do not count; the one that the tests themselves leave open is found beside them.
func TestProfilesAreNoLeak(t *testing.T) {
	if os.Getenv("NOLEAKS_LEAK") != "" {
		f, err := os.Create(os.Getenv("NOLEAKS_LEAK"))
		require.NoError(t, err)
		t.Cleanup(func() { kept = append(kept, f) })
		return
	}
	needsList(t)
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestProfilesAreNoLeak$", "-test.cpuprofile="+filepath.Join(dir, "cpu.out"),
		"-test.trace="+filepath.Join(dir, "trace.out"))
	cmd.Env = append(os.Environ(), "NOLEAKS_LEAK="+filepath.Join(dir, "journal"))
	out, err := cmd.CombinedOutput()
	require.Error(t, err, string(out))
	require.Contains(t, string(out), "/journal, descriptor ")
	require.Contains(t, string(out), "left 1 things behind", "and the profiles are not")
}

// kept are files that nobody closes.
var kept []*os.File

func TestParse(t *testing.T) {
	gs := parse("goroutine 1 [running]:\nmain.main()\n\ngoroutine 23 [chan receive, 2 minutes]:\nx.f()\ncreated by x.g in goroutine 1\n")
	require.Len(t, gs, 2)
	require.Equal(t, "23", gs[1].id)
}
