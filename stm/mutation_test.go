package stm

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
)

// A mutant is a fault planted in the engine: a text of one of its files replaced by another. The named tests must fail
// on it. Mutants are built with go test -overlay, so the engine itself carries no switch for them.
type mutant struct {
	name     string
	file     string
	old, new string
	tests    string
	quick    bool // also without -long
	hangs    bool // found by a test that waits for ever
	survives bool // a change of pace, not of meaning: the tests must pass
}

var mutants = []mutant{
	{name: "reads are not validated", file: "read.go", old: "if l <= tx.rv {", new: "if true {",
		tests: "TestHistoryIsOpaque|TestBank", quick: true},
	{name: "extension does not validate", file: "read.go", old: "if !tx.valid() {", new: "if false {",
		tests: "TestHistoryIsOpaque|TestBank"},
	{name: "commits are not validated", file: "commit.go", old: "ok := tx.valid()", new: "ok := true",
		tests: "TestHistoryIsOpaque", quick: true},
	{name: "commits take no locks", file: "commit.go", old: "if e.c.lock.CompareAndSwap(l, l|lockBit) {",
		new: "if runtime.Gosched(); true {", tests: "TestCounters"},
	{name: "values are published before the commit is valid", file: "commit.go", old: "\twv := clock.Add(tick)\n",
		new: "\tfor i := range tx.ws {\n\t\ttx.ws[i].c.publish(tx.ws[i].w, tx.ws[i].p)\n\t}\n\twv := clock.Add(tick)\n", tests: "TestHistoryIsOpaque|TestCounters"},
	{name: "a waiter does not look again", file: "wait.go", old: "if rs[i].c.lock.Load()&^flags != rs[i].l {",
		new: "if rs[i].c == nil {", tests: "TestRetrySeesWhatCameBetween", quick: true},
	{name: "a waiter looks first and registers second", file: "wait.go",
		old: "\tfor i := range rs {\n\t\trs[i].c.more().add(&nodes[i], w)\n\t}\n",
		new: "\tfor i := range rs {\n\t\tif rs[i].c.lock.Load()&^flags != rs[i].l {\n\t\t\treturn false\n\t\t}\n\t}\n" +
			"\tfor range 2000 {\n\t\tseam.Running()\n\t}\n" + // a wider window
			"\tfor i := range rs {\n\t\trs[i].c.more().add(&nodes[i], w)\n\t}\n\treturn true\n",
		tests: "TestNoLostWakeUp|TestWatchNeverMissesTheLast", hangs: true},
	{name: "only the first Var wakes", file: "commit.go", old: "\t\t\tx.wake()\n", new: "\t\t\tx.wake()\n\t\t\treturn\n",
		tests: "TestWakeCounts|TestWakeOrder"},
	{name: "a write wakes last come first", file: "wait.go", old: "\tn.prev = x.last\n\tif x.last != nil {\n\t\tx.last.next = n\n\t} else {\n\t\tx.first = n\n\t}\n\tx.last = n\n",
		new:   "\tn.next = x.first\n\tif x.first != nil {\n\t\tx.first.prev = n\n\t} else {\n\t\tx.last = n\n\t}\n\tx.first = n\n",
		tests: "TestWakeOrder"},
	{name: "wakes in lock order", file: "commit.go", old: "\tfor i := range tx.ws {\n\t\tif x := tx.ws[i].c.extra",
		new: "\tfor i := range tx.ws {\n\t\tif x := tx.ws[len(tx.ws)-1-i].c.extra", tests: "TestWakeOrder"},
	{name: "a wait forgets undone alternatives", file: "write.go", old: "\tclear(tx.undo[s.undo:])\n",
		new: "\tclear(tx.undo[s.undo:])\n\ttx.rs = tx.rs[:0]\n", tests: "TestWaitOnBothAlternatives"},
	{name: "rollback forgets overwritten values", file: "write.go", old: "tx.ws[u.i].w, tx.ws[u.i].p = u.w, u.p", new: "_ = u",
		tests: "TestTryUndoesAlone|TestProgramsMatchReference", quick: true},
	{name: "rollback forgets new writes", file: "write.go", old: "\tclear(tx.ws[s.writes:])\n\ttx.ws = tx.ws[:s.writes]\n", new: "",
		tests: "TestTryUndoesAlone|TestProgramsMatchReference"},
	{name: "rollback forgets hooks", file: "write.go", old: "\ttx.after = tx.after[:s.after]\n", new: "",
		tests: "TestTryUndoesAlone|TestProgramsMatchReference"},
	{name: "the savepoint is not restored", file: "write.go", old: "\ttx.after = tx.after[:s.after]\n\ttx.level = s.level\n",
		new: "\ttx.after = tx.after[:s.after]\n\ttx.level = 0\n", tests: "TestFailedBranchInsideUndoneBranch"},
	{name: "recover swallows a Retry", file: "run.go", old: "if end = tx.end; end == finished &&", new: "if end == finished &&",
		tests: "TestRecoverCannotSwallow"},
	{name: "a panic keeps the serial turn", file: "run.go", old: "func (tx *Tx) fail() {\n\tif tx.serial {", new: "func (tx *Tx) fail() {\n\tif false {",
		tests: "TestPanicPassesThrough"},
	{name: "a panic keeps reservations", file: "serial.go", old: "\t\t\tr.c.lock.Store(r.l)\n", new: "", tests: "TestPanicPassesThrough"},
	{name: "cancellation leaves the wait registered", file: "wait.go", old: "\tunregister(tx.nodes)\n\treturn ended(ctx)", new: "\treturn ended(ctx)",
		tests: "TestCancelWhileParked", quick: true},
	{name: "the serial transaction reserves nothing", file: "serial.go", old: "tx.serial = true", new: "tx.serial = false",
		tests: "TestSerialReserves"},
	{name: "no transaction is ever serial", file: "serial.go", old: "const escalateAfter = 16", new: "const escalateAfter = 1 << 30",
		tests: "TestAttemptsAreBounded"},
	{name: "every lost run makes a transaction serial", file: "serial.go", old: "const escalateAfter = 16", new: "const escalateAfter = 1",
		tests: "TestHistoryIsOpaque|TestBank|TestSerialCrowd|TestNoLostWakeUp", survives: true},
	{name: "simulated commits wake nobody", file: "world.go", old: "\ttx.wakeAll()\n", new: "", tests: "TestWakeOrder"},
}

func TestPlantedFaultsAreFound(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command")
	}
	if raceEnabled {
		t.Skip("the plain run does this")
	}
	for _, m := range mutants {
		if !m.quick && !long.On() {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			out, err := m.run(t)
			require.NotContains(t, out, "build failed")
			if m.survives {
				require.NoError(t, err, out)
				return
			}
			require.Error(t, err, "the fault was not found")
			require.Regexp(t, "--- FAIL: |panic: ", out)
			require.True(t, m.hangs || !strings.Contains(out, "test timed out"), out)
		})
	}
}

// run builds the engine with the fault and runs the tests on it.
func (m mutant) run(t *testing.T) (string, error) {
	dir := t.TempDir()
	text, err := os.ReadFile(m.file)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), m.old), "the text to replace must be there once")
	faulty := filepath.Join(dir, m.file)
	require.NoError(t, os.WriteFile(faulty, []byte(strings.Replace(string(text), m.old, m.new, 1)), 0o600))
	here, err := filepath.Abs(m.file)
	require.NoError(t, err)
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {here: faulty}})
	require.NoError(t, err)
	list := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(list, overlay, 0o600))
	limit := "60s"
	if m.hangs {
		limit = "5s"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "go", "test", "-overlay", list, "-vet=off", "-count=1", "-timeout="+limit, "-run", "^("+m.tests+")$", ".")
	out, err := c.CombinedOutput()
	require.NoError(t, ctx.Err())
	return string(out), err
}
