package registrytest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/synodkit/synod/env"
)

// NoLeaks runs the tests of a package and then panics, so that the package fails, if goroutines, listeners or other
// descriptors are left that were not there before. It prints their stacks and names. If a test has failed it says
// nothing: what a failed test leaves is no news. What has one of the given strings in its stack, or in its name, does
// not count.
func NoLeaks(m *testing.M, ignore ...string) {
	before := descriptors()
	if m.Run() != 0 {
		return // testing exits with the code
	}
	ignore = append(ignore, profiles()...)
	left := settle(triesMax, func() []string {
		return append(leftRunning(nil, ignore), leftOpen(before, ignore)...)
	})
	if len(left) > 0 {
		fmt.Fprint(os.Stderr, report(left))
		panic(fmt.Sprintf("registrytest: the tests left %d things behind; they are listed above", len(left)))
	}
}

// profiles are the files that package testing itself leaves open.
func profiles() (names []string) {
	for _, name := range []string{"test.cpuprofile", "test.trace"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			names = append(names, "/"+filepath.Base(f.Value.String())+",")
		}
	}
	return names
}

// NoLeaksT fails t if at its end there are goroutines, listeners or other descriptors that were not there when NoLeaksT
// was called.
func NoLeaksT(t testing.TB, ignore ...string) {
	t.Helper()
	noLeaks(t, triesMax, ignore)
}

func noLeaks(t testing.TB, tries int, ignore []string) {
	t.Helper()
	running, open := map[string]bool{}, descriptors()
	for _, g := range goroutines() {
		running[g.id] = true
	}
	t.Cleanup(func() {
		left := settle(tries, func() []string {
			return append(leftRunning(running, ignore), leftOpen(open, ignore)...)
		})
		if len(left) > 0 {
			t.Error(report(left))
		}
	})
}

// triesMax bounds the time that things get to end: about a second if they do not.
const triesMax = 500

// settle returns what is left and does not end within so many tries.
func settle(tries int, find func() []string) []string {
	for try := 0; ; try++ {
		left := find()
		if len(left) == 0 || try == tries {
			return left
		}
		if try < 20 {
			runtime.Gosched()
		} else {
			_ = env.Sleep(context.Background(), pause) // cannot fail: the context does not end
		}
	}
}

func report(left []string) string {
	return "left behind: " + strings.Join(left, "\n\nleft behind: ") + "\n\n"
}

func ignored(what string, ignore []string) bool {
	for _, s := range ignore {
		if strings.Contains(what, s) {
			return true
		}
	}
	return false
}
