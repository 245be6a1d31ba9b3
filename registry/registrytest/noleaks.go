package registrytest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/synodkit/synod/env"
)

// NoLeaks runs the tests of a package and then panics with their stacks if goroutines are left, so that the package
// fails. If a test has failed it says nothing: what a failed test leaves is no news. Goroutines with one of the given
// functions in their stack do not count.
func NoLeaks(m *testing.M, ignore ...string) {
	if m.Run() != 0 {
		return // testing exits with the code
	}
	if left := settle(func(g goroutine) bool { return g.ours(ignore) }); len(left) > 0 {
		fmt.Fprint(os.Stderr, report(left))
		panic(fmt.Sprintf("registrytest: the tests left %d goroutines behind; their stacks are above", len(left)))
	}
}

// NoLeaksT fails t if at its end there are goroutines that were not there when NoLeaksT was called.
func NoLeaksT(t testing.TB, ignore ...string) {
	t.Helper()
	before := map[string]bool{}
	for _, g := range goroutines() {
		before[g.id] = true
	}
	t.Cleanup(func() {
		left := settle(func(g goroutine) bool { return !before[g.id] && g.ours(ignore) })
		if len(left) > 0 {
			t.Error(report(left))
		}
	})
}

// triesMax bounds the time that goroutines get to end: about a second if none does.
const triesMax = 500

// settle returns the goroutines that count and do not end within the bounded time.
func settle(counts func(goroutine) bool) []goroutine {
	for try := 0; ; try++ {
		var left []goroutine
		for _, g := range goroutines() {
			if counts(g) {
				left = append(left, g)
			}
		}
		if len(left) == 0 || try == triesMax {
			return left
		}
		if try < 20 {
			runtime.Gosched()
		} else {
			_ = env.Sleep(context.Background(), 2*time.Millisecond) // cannot fail: the context does not end
		}
	}
}

// goroutine is one entry of the runtime's dump.
type goroutine struct {
	id    string
	stack string
}

// goroutines are all but the calling one.
func goroutines() []goroutine {
	buf := make([]byte, 1<<16)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			return parse(string(buf[:n]))[1:]
		}
		buf = make([]byte, 2*len(buf))
	}
}

func parse(dump string) []goroutine {
	var gs []goroutine
	for _, block := range strings.Split(strings.TrimSpace(dump), "\n\n") {
		id, _, _ := strings.Cut(strings.TrimPrefix(block, "goroutine "), " ")
		gs = append(gs, goroutine{id, block})
	}
	return gs
}

// background are functions of goroutines that belong to the runtime or to package testing.
func background() []string {
	return []string{
		"created by runtime.", "created by testing.(*T).Run", "created by testing.(*F).Fuzz", "created by testing.(*B).",
		"testing.(*M).", "testing.runFuzz", "created by os/signal.", "runtime.ensureSigM", "runtime/trace.", "created by testing.runTests",
		"created by runtime/pprof.", "testing.(*T).Parallel(", "created by internal/fuzz.",
	}
}

func (g goroutine) ours(ignore []string) bool {
	for _, s := range background() {
		if strings.Contains(g.stack, s) {
			return false
		}
	}
	for _, s := range ignore {
		if strings.Contains(g.stack, s) {
			return false
		}
	}
	return true
}

func report(left []goroutine) string {
	var b strings.Builder
	for _, g := range left {
		what := "goroutine"
		if strings.Contains(g.stack, "synod/registry.") {
			what = "goroutine of a scope"
		}
		fmt.Fprintf(&b, "left behind: %s\n%s\n\n", what, g.stack)
	}
	return b.String()
}
