//go:build goexperiment.goroutineleakprofile

package stm_test

import (
	"context"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/synodkit/synod/stm"
)

//go:noinline
func leakedWait(v *stm.Var[bool]) {
	_ = stm.Do(context.Background(), func(tx *stm.Tx) error { tx.Check(v.Get(tx)); return nil })
}

// The runtime finds a goroutine that waits for a Var which nobody can reach: nothing of the engine's leads to it.
//
//	GOEXPERIMENT=goroutineleakprofile go test -run LeakProfile ./stm
func TestLeakProfileFindsAWait(t *testing.T) {
	go func() { leakedWait(stm.NewVar(false)) }()
	for range 300 {
		var b strings.Builder
		_ = pprof.Lookup("goroutineleak").WriteTo(&b, 2)
		if strings.Contains(b.String(), "leakedWait") && strings.Contains(b.String(), "(leaked)") {
			return
		}
		runtime.Gosched()
	}
	t.Fatal("not found")
}
