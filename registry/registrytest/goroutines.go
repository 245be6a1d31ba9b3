package registrytest

import (
	"runtime"
	"strings"
	"time"
)

const pause = 2 * time.Millisecond

// goroutine is one entry of the runtime's dump.
type goroutine struct {
	id    string
	stack string
}

// leftRunning are the stacks of the goroutines that count and were not there before.
func leftRunning(before map[string]bool, ignore []string) (left []string) {
	for _, g := range goroutines() {
		if before[g.id] || ignored(g.stack, background()) || ignored(g.stack, ignore) {
			continue
		}
		what := "goroutine"
		if strings.Contains(g.stack, "synod/registry.") {
			what = "goroutine of a scope"
		}
		left = append(left, what+"\n"+g.stack)
	}
	return left
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
