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
	// Reading.
	{name: "what is newer than the snapshot is taken at once", file: "var.go", old: "if l < limit {",
		new: "if l < serialBit && tx.mode == running && tx.bloom&bloomBit(c) == 0 {", tests: "TestHistoryIsOpaque|TestBank", quick: true},
	{name: "what is newer than the snapshot is taken at last", file: "read.go", old: "l >= tx.snap && n > 0 && (n > 1 || !tx.rs[0].valid()) && !tx.newer(l) {", new: "false && n > 0 {",
		tests: "TestHistoryIsOpaque|TestBank"},
	{name: "a value is not looked at twice", file: "var.go", old: "\tw, p := c.value()\n\tlimit := tx.fast\n\tif limit == 0 && tx.bloom&bloomBit(c) == 0 {\n\t\tlimit = tx.snap\n\t}\n\tif l < limit {\n\t\tif c.lock.Load() == l {",
		new: "\tfor range 300 { // a wider window\n\t\tseam.Running()\n\t}\n\tw, p := c.value()\n\tlimit := tx.fast\n\tif limit == 0 && tx.bloom&bloomBit(c) == 0 {\n\t\tlimit = tx.snap\n\t}\n\tif l < limit {\n\t\tif true {", tests: "TestHistoryIsOpaque|TestBank|TestHandover"},
	{name: "every read is taken for the first", file: "var.go", old: "tx.fast = tx.snap", new: "_ = limit", tests: "TestHistoryIsOpaque|TestLooseReads"},
	{name: "a first read by the slow way is not counted", file: "read.go", old: "\tif tx.fast != 0 {\n\t\ttx.fast = tx.snap\n", new: "\tif tx.fast != 0 {\n", tests: "TestFirstReadOfReserved"},
	{name: "extension does not validate", file: "read.go", old: "\ttx.mustBeValid()\n\tif n < looseReads {", new: "\tif n < looseReads {\n\t\ttx.mustBeValid()",
		tests: "TestHistoryIsOpaque|TestBank|TestLooseReads"},
	{name: "loose reads are not validated", file: "read.go", old: "(n > 1 || !tx.rs[0].valid())", new: "(n > 1)",
		tests: "TestHistoryIsOpaque|TestLooseReads"},
	{name: "extension leaves the clock where it is", file: "read.go", old: "g = reach(l &^ waitBit)", new: "g = l &^ waitBit",
		tests: "TestHistoryIsOpaque|TestLooseReads"},
	{name: "a Tx is used twice", file: "pool.go", old: "tx != nil && tx.busy.CompareAndSwap(0, 1) {", new: "tx != nil {", tests: "TestTxHasOneUser"},
	{name: "a Tx at rest holds values", file: "pool.go", old: "\t\ttx.rs[i].c = nil", new: "\t\t_ = i",
		tests: "TestNothingIsRetained"},

	{name: "large buffers are kept", file: "pool.go", old: "tx.settled && cap(tx.rs) <= keepMost\n", new: "tx.settled\n", tests: "TestLargeBuffersAreDropped"},
	{name: "a waiting transaction comes back under debugging", file: "wait.go", old: "tx = acquire(); tx.extra != nil {", new: "tx = acquire(); false {", tests: "TestDebugBeginsWhileParked"},

	// Committing.
	{name: "a serial run that read nothing keeps its turn", file: "commit.go", old: "newest > g+(ahead-2*tick) || tx.normal != running {", new: "newest > g+(ahead-2*tick) {",
		tests: "TestSerialRunWithoutReads"},
	{name: "commits are not validated", file: "commit.go", old: "if checked < len(tx.rs) && tx.normal != serial && !tx.validLocked(checked) {", new: "if false {",
		tests: "TestHistoryIsOpaque"},
	{name: "a Var both read and written is not validated", file: "commit.go", old: "&& (tx.rs[checked].l^l)&^waitBit == 0 {", new: "{",
		tests: "TestHistoryIsOpaque|TestCounters"},
	{name: "commits take no locks", file: "commit.go", old: "!e.c.lock.CompareAndSwap(l, l|lockBit) {", new: "func() bool { pause(1 << 20); return false }() {", tests: "TestCounters"},
	{name: "locks are waited for in program order", file: "commit.go", old: "at < address(tx.ws[o[j-1]].c)", new: "at < 1", tests: "TestLocksAreTakenInOneOrder"},
	{name: "values are published before the commit is valid", file: "commit.go", old: "\tversion, keep := next(newest &^ waitBit)\n",
		new: "\tfor i := range tx.ws {\n\t\ttx.ws[i].c.publish(tx.ws[i].w, tx.ws[i].p)\n\t}\n\tversion, keep := next(newest &^ waitBit)\n", tests: "TestHistoryIsOpaque|TestCounters"},
	{name: "a version may be used twice", file: "commit.go", old: "version := max(g, newest&^waitBit) + tick", new: "version := max(g, newest&^waitBit)",
		tests: "TestHistoryIsOpaque|TestCounters|TestLooseReads"},
	{name: "a version may be older than the clock", file: "commit.go", old: "version := max(g, newest&^waitBit) + tick", new: "version := newest&^waitBit + tick",
		tests: "TestHistoryIsOpaque|TestBank|TestLooseReads"},
	{name: "the version is chosen before the locks are held", file: "commit.go", old: "g := clock.Load()", new: "g := tx.snap",
		tests: "TestHistoryIsOpaque|TestBank|TestLooseReads"},
	{name: "versions run away from the clock", file: "clock.go", old: "if newest > g+(ahead-2*tick) {", new: "if false {", tests: "TestVersionsStayNearTheClock"},

	// Waiting.
	{name: "a waiter does not look again", file: "waiters.go", old: "if l&^(waitBit|serialBit) != n.seen {", new: "if false {", tests: "TestRetrySeesWhatCameBetween"},
	{name: "a waiter does not announce itself", file: "waiters.go", old: "if l&waitBit != 0 || n.c.lock.CompareAndSwap(l, l|waitBit) {", new: "if true {", tests: "TestRetryIsWoken"},
	{name: "a waiter announces itself to a committer that has looked", file: "waiters.go", old: "if l < lockBit {\n\t\t\tif l&^(waitBit|serialBit) != n.seen {",
		new: "if true {\n\t\t\tif l&^(waitBit|serialBit|lockBit) != n.seen {", tests: "TestWaitMeetsCommit"},
	{name: "a commit wakes those who have seen it", file: "waiters.go", old: "n != nil && n.seen < version; n", new: "n != nil; n", tests: "TestWakeSparesNewcomers"},
	{name: "only the first Var wakes", file: "commit.go", old: "\t\t\te.c.extra.Load().wake(version)\n", new: "\t\t\te.c.extra.Load().wake(version)\n\t\t\treturn\n",
		tests: "TestWakeCounts|TestWakeOrder"},
	{name: "a write wakes last come first", file: "waiters.go", old: "\tn.prev = x.last\n\tif x.last != nil {\n\t\tx.last.next = n\n\t} else {\n\t\tx.first = n\n\t}\n\tx.last = n\n",
		new:   "\tn.next = x.first\n\tif x.first != nil {\n\t\tx.first.prev = n\n\t} else {\n\t\tx.last = n\n\t}\n\tx.first = n\n",
		tests: "TestWakeOrder"},
	{name: "wakes in the order of locks", file: "world.go", old: "if x := tx.ws[i].c.extra", new: "if x := tx.ws[len(tx.ws)-1-i].c.extra", tests: "TestWakeOrder"},
	{name: "a wait forgets undone alternatives", file: "write.go", old: "\tclear(tx.undo[s.undo:])\n",
		new: "\tclear(tx.undo[s.undo:])\n\ttx.rs = tx.rs[:0]\n", tests: "TestWaitOnBothAlternatives"},
	{name: "cancellation leaves the wait registered", file: "wait.go", old: "\tw.unregister()\n\tw.rest()\n", new: "",
		tests: "TestCancelWhileParked"},
	{name: "Watch misses what changes while the loop is busy", file: "watch.go", old: "\t\t\tlast := x\n", new: "\t\t\tlast, _ := Query(ctx, q)\n", tests: "TestWatchWhileBusy", hangs: true},
	{name: "simulated commits wake nobody", file: "world.go", old: "\t\t\tx.wake(^uint64(0))\n", new: "", tests: "TestWakeOrder"},

	// Branches.
	{name: "rollback forgets overwritten values", file: "write.go", old: "tx.ws[u.i].w, tx.ws[u.i].p = u.w, u.p", new: "_ = u",
		tests: "TestTryUndoesAlone|TestTermsMatchMeaning"},
	{name: "rollback forgets new writes", file: "write.go", old: "\tclear(tx.ws[s.writes:])\n\ttx.ws = tx.ws[:s.writes]\n", new: "",
		tests: "TestTryUndoesAlone|TestTermsMatchMeaning"},
	{name: "the index gives up at the first collision", file: "index.go", old: "if uint32(s>>32) != x.run {", new: "if uint32(s>>32) != x.run || i > x.start(c) {", tests: "TestLargeWriteSets"},
	{name: "undone entries of the index count", file: "index.go", old: "j < len(ws) && ws[j].c == c", new: "ws[:cap(ws)][j].c == c || j >= len(ws)", tests: "TestLargeWriteSets"},
	{name: "rollback forgets hooks", file: "write.go", old: "\ttx.after = tx.after[:s.after]\n", new: "",
		tests: "TestTryUndoesAlone|TestTermsMatchMeaning"},
	{name: "the savepoint is not restored", file: "write.go", old: "\ttx.after = tx.after[:s.after]\n\ttx.level = s.level\n",
		new: "\ttx.after = tx.after[:s.after]\n\ttx.level = 0\n", tests: "TestFailedBranchInsideUndoneBranch"},
	{name: "Select goes on where it was", file: "nest.go", old: "left = alternatives[i+1:]", new: "left = alternatives[min(1, len(alternatives)):]", tests: "TestSelectOfMany|TestTermsMatchMeaning"},
	{name: "recover swallows a Retry", file: "run.go", old: "\tcase tx.end != finished:\n", new: "\tcase tx.end == aborted:\n",
		tests: "TestRecoverCannotSwallow"},

	// Progress.
	{name: "a panic keeps the serial turn", file: "run.go", old: "\ttx.endUnusual()\n\ttx.release()\n", new: "\ttx.release()\n",
		tests: "TestPanicPassesThrough"},
	{name: "a panic keeps reservations", file: "serial.go", old: "r.c.lock.CompareAndSwap(l, l&^serialBit) {", new: "true {", tests: "TestPanicPassesThrough"},
	{name: "the serial transaction reserves nothing", file: "serial.go", old: "tx.normal = serial", new: "tx.normal = running",
		tests: "TestSerialReserves"},
	{name: "no transaction is ever serial", file: "serial.go", old: "const escalateAfter = 16", new: "const escalateAfter = 1 << 30",
		tests: "TestAttemptsAreBounded"},
	{name: "no run is ever pinned", file: "run.go", old: "(tx.tries >= pinAfter || len(tx.rs) >= longRun)", new: "false", tests: "TestAuditNeitherStarvesNorBlocks", hangs: true},
	{name: "a pinned run reads what is newest", file: "kept.go", old: "if l&^waitBit <= tx.pinned {", new: "if true {", tests: "TestAuditNeitherStarvesNorBlocks"},
	{name: "commits keep nothing", file: "kept.go", old: "version <= newest {", new: "version <= newest && false {", tests: "TestAuditNeitherStarvesNorBlocks"},
	{name: "commits keep everything", file: "kept.go", old: "version <= newest {", new: "version <= newest+1<<60 {", tests: "TestAuditNeitherStarvesNorBlocks"},
	{name: "what was kept is never dropped", file: "kept.go", old: "k.c.extra.Load().kept.Store(nil)", new: "_ = k", tests: "TestAuditNeitherStarvesNorBlocks"},
	{name: "who keeps too late leaves it", file: "kept.go", old: "if clock.Load()&keepBit != 0 {", new: "if true {", tests: "TestLateKeeper"},
	{name: "commits wait for pinned runs", file: "commit.go", old: "\tif keep {\n", new: "\tfor keep && clock.Load()&keepBit != 0 {\n\t\tpause(1 << 20)\n\t}\n\tif keep {\n",
		tests: "TestAuditNeitherStarvesNorBlocks", hangs: true},
	{name: "everybody waits for the serial transaction", file: "commit.go", old: "\tnewest, waits, checked := uint64(0), uint64(0), 0\n\tfor i := range tx.ws {\n\t\te := &tx.ws[i]\n\t\tl :=",
		new: "\tnewest, waits, checked := uint64(0), uint64(0), 0\n\tfor i := range tx.ws {\n\t\tif tx.normal != serial {\n\t\t\twaitSerial()\n\t\t}\n\t\te := &tx.ws[i]\n\t\tl :=", tests: "TestSerialReserves", hangs: true},
	{name: "what nobody can want is not trimmed", file: "kept.go", old: "\t\t\tk.older.Store(nil)\n", new: "", tests: "TestKeptIsTrimmed"},
	{name: "what ended runs wanted stays", file: "kept.go", old: "\t\t\tp.prune()\n", new: "", tests: "TestKeptIsPruned"},
	{name: "a locked Var's value is taken for one that stays", file: "prune.go", old: "&^ (serialBit | waitBit)\n", new: "&^ (serialBit | waitBit | lockBit)\n",
		tests: "TestPruneDuringACommit"},
	{name: "what open runs want is pruned", file: "prune.go", old: "if taken <= open[i] {", new: "if taken <= open[i]+ahead {", tests: "TestPruneAmongWriters"},
	{name: "a run is pinned to the clock as it stands", file: "kept.go", old: "v := g&^keepBit + ahead + tick", new: "v := g &^ keepBit", tests: "TestAuditsAmongWriters|TestPinnedAfterCommits"},

	// Changes of pace, not of meaning.
	{name: "every lost run makes a transaction serial", file: "serial.go", old: "const escalateAfter = 16", new: "const escalateAfter = 1",
		tests: "TestHistoryIsOpaque|TestBank|TestSerialCrowd|TestNoLostWakeUp", survives: true},
	{name: "every lost run is followed by a pinned one", file: "kept.go", old: "pinAfter = 4", new: "pinAfter = 1",
		tests: "TestHistoryIsOpaque|TestBank|TestAuditsAmongWriters|TestNoLostWakeUp", survives: true},
	{name: "no read is loose", file: "read.go", old: "const looseReads = 2", new: "const looseReads = 1",
		tests: "TestHistoryIsOpaque|TestBank|TestCounters", survives: true},
	{name: "many reads are loose", file: "read.go", old: "const looseReads = 2", new: "const looseReads = 100",
		tests: "TestHistoryIsOpaque|TestBank|TestCounters", survives: true},
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
	c := exec.CommandContext(ctx, "go", "test", "-overlay", list, "-vet=off", "-ldflags=-s -w", "-count=1", "-timeout="+limit, "-run", "^("+m.tests+")$", ".", "-rapid.nofailfile")
	out, err := c.CombinedOutput()
	require.NoError(t, ctx.Err())
	return string(out), err
}
