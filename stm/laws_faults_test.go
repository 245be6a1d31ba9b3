package stm

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
)

// faults shows for each test of laws, injections, models and diagnosis that it can fail: law, test and the fault that
// fails it. With every, calls stand before all statements of the engine.
var faults = []struct {
	law   string
	every bool
	mutant
}{
	// Branches.
	{law: "the engine does what the reference says", mutant: mutant{file: "write.go", tests: "TestTermsMatchMeaning",
		old: "tx.ws[u.i].w, tx.ws[u.i].p = u.w, u.p", new: "_ = u"}},
	{law: "OrElse is associative", mutant: mutant{file: "nest.go", tests: "TestLaws/OrElse_is_associative",
		old: "\treturn last(tx, second)\n", new: "\tif r, ok := branch(tx, second); ok {\n\t\treturn r\n\t}\n\tif tx.level == 0 {\n\t\ttx.Retry()\n\t}\n\tpanic(failure(3))\n"}},
	{law: "Select is associative", mutant: mutant{file: "nest.go", tests: "TestLaws/Select_is_associative.*",
		old: "left = alternatives[i+1:]", new: "left = nil"}},
	{law: "Retry is an identity of OrElse", mutant: mutant{file: "nest.go", tests: "TestLaws/Retry_is_the_left_identity_of_OrElse",
		old: "\tif r, ok := branch(tx, first); ok {\n\t\treturn r\n\t}\n", new: "\tif r, ok := branch(tx, first); ok {\n\t\treturn r\n\t}\n\ttx.ws, tx.bloom = tx.ws[:0], 0\n"}},
	{law: "Retry is an identity of Select", mutant: mutant{file: "nest.go", tests: "TestLaws/Retry_is_the_.*_identity_of_Select",
		old: "\ttx.doomQuietly(retried)\n\tvar none T\n", new: "\tif len(alternatives) > 1 {\n\t\tvar none T\n\t\treturn none, nil\n\t}\n\ttx.doomQuietly(retried)\n\tvar none T\n"}},
	{law: "the empty Select is Retry", mutant: mutant{file: "nest.go", tests: "TestLaws/the_empty_Select_is_Retry",
		old: "\ttx.doomQuietly(retried)\n\tvar none T\n", new: "\tif len(alternatives) == 0 {\n\t\tvar none T\n\t\treturn none, nil\n\t}\n\ttx.doomQuietly(retried)\n\tvar none T\n"}},
	{law: "the left is undone", mutant: mutant{file: "write.go", tests: "TestTermsMatchMeaning",
		old: "\tclear(tx.ws[s.writes:])\n\ttx.ws = tx.ws[:s.writes]\n", new: ""}},
	{law: "an error undoes an alternative", mutant: mutant{file: "nest.go", tests: "TestLaws/an_error_undoes_its_alternative",
		old: "if returned = true; !done || err == nil {", new: "if returned = true; true {"}},
	{law: "an error ends a Select", mutant: mutant{file: "nest.go", tests: "TestLaws/an_error_ends_a_Select",
		old: "if tx.end == finished && (err == nil || !isRetry(err)) {", new: "if tx.end == finished && err == nil {"}},
	{law: "Try undoes alone", mutant: mutant{file: "nest.go", tests: "TestLaws/Try_undoes_alone",
		old: "\tcase err != nil:\n\t\ttx.undoTo(s)\n\tdefault:", new: "\tcase err != nil:\n\t\ttx.keep(s)\n\tdefault:"}},
	{law: "Try without errors changes nothing", mutant: mutant{file: "nest.go", tests: "TestLaws/Try_without_errors_changes_nothing",
		old: "\tdefault:\n\t\ttx.keep(s)\n\t}\n\treturn err\n", new: "\tdefault:\n\t\ttx.undoTo(s)\n\t}\n\treturn err\n"}},
	{law: "Try lets Retry pass", mutant: mutant{file: "nest.go", tests: "TestLaws/Try_lets_Retry_pass",
		old: "\t\ttx.doomQuietly(retried)\n\t\treturn ErrRetry\n", new: "\t\ttx.revive()\n\t\treturn nil\n"}},
	{law: "ErrRetry means Retry", mutant: mutant{file: "nest.go", tests: "TestErrRetryIsRetry",
		old: "if tx.end == finished && (err == nil || !isRetry(err)) {", new: "if tx.end == finished {"}},
	{law: "hooks of an undone branch are dropped", mutant: mutant{file: "write.go", tests: "TestTermsMatchMeaning",
		old: "\ttx.after = tx.after[:s.after]\n", new: ""}},

	// Waiting.
	{law: "the wait set is the union", mutant: mutant{file: "write.go", tests: "TestWaitSetIsTheUnion",
		old: "\tclear(tx.undo[s.undo:])\n", new: "\tclear(tx.undo[s.undo:])\n\ttx.rs = tx.rs[:0]\n"}},
	{law: "what a run has written itself is not waited for", mutant: mutant{file: "read.go", tests: "TestWaitSetIsTheUnion|TestTermsMatchMeaning",
		old: "e != nil && tx.mode != dead {\n", new: "e != nil && tx.mode != dead {\n\t\t\ttx.log(c, c.lock.Load())\n"}},
	{law: "one run for each change, none for anything else", mutant: mutant{file: "waiters.go", tests: "TestWakeCountsMatchMeaning",
		old: "\tfor i := range w.nodes {\n\t\tif !w.nodes[i].add() {", new: "\tfor i := range w.nodes[:min(1, len(w.nodes))] {\n\t\tif !w.nodes[i].add() {"}},
	{law: "terms at once end as in some order", mutant: mutant{file: "commit.go", tests: "TestOracleConcurrent",
		old: "if checked < len(tx.rs) && tx.normal != serial && !tx.validLocked(checked) {", new: "if false {"}},
	{law: "the same as the oracle's", mutant: mutant{file: "write.go", tests: "TestOracleSequential",
		old: "tx.ws[u.i].w, tx.ws[u.i].p = u.w, u.p", new: "_ = u"}},
	{law: "tokens go round", mutant: mutant{file: "commit.go", tests: "TestOracleTokens",
		old: "if checked < len(tx.rs) && tx.normal != serial && !tx.validLocked(checked) {", new: "if false {"}},

	// Injections.
	{law: "a panic leaves no reservation", mutant: mutant{file: "run.go", tests: "TestMishapAtEveryPointOfTheBody",
		old: "\ttx.endUnusual()\n\ttx.release()\n", new: "\ttx.release()\n"}},
	{law: "a panic in a branch undoes it", mutant: mutant{file: "nest.go", tests: "TestLaws/a_panic_undoes_Try",
		old: "\t\tif !done {\n\t\t\ttx.undoTo(s)\n\t\t}\n\t}()\n\terr := f(tx)\n", new: "\t\tif !done {\n\t\t\ttx.keep(s)\n\t\t}\n\t}()\n\terr := f(tx)\n"}},
	{law: "a cancelled wait is not registered", mutant: mutant{file: "wait.go", tests: "TestMishapAtEveryLookAtTheContext",
		old: "\tw.unregister()\n\tw.rest()\n", new: ""}},
	{law: "a context is asked before anything is registered", mutant: mutant{file: "wait.go", tests: "TestMishapAtEveryLookAtTheContext",
		old: "\t\tw.show()\n\t\tw.sleep()\n", new: "\t\tw.show()\n\t\t_ = ctx.Err()\n\t\tw.sleep()\n"}},
	{law: "undone hooks do not run", mutant: mutant{file: "write.go", tests: "TestMishapAtEveryPointOfTheBody",
		old: "\ttx.after = tx.after[:s.after]\n", new: ""}},
	{law: "no wake-up is lost, wherever the commit comes", every: true, mutant: mutant{file: "waiters.go",
		old: "if l&^(waitBit|serialBit) != n.seen {", new: "if false {"}},
	{law: "a waiter announces itself before it looks", every: true, mutant: mutant{file: "waiters.go",
		old: "\t\t\tif l&waitBit != 0 || n.c.lock.CompareAndSwap(l, l|waitBit) {\n\t\t\t\tx.link(n)\n", new: "\t\t\tif true {\n\t\t\t\tx.link(n)\n\t\t\t\tn.c.lock.Store(n.c.lock.Load() | waitBit)\n"}},
	{law: "a run sees one moment, wherever the conflict comes", every: true, mutant: mutant{file: "read.go",
		old: "\ttx.mustBeValid()\n\tif n < looseReads {", new: "\tif n < looseReads {"}},
	{law: "a commit is valid, wherever the conflict comes", every: true, mutant: mutant{file: "commit.go",
		old: "if checked < len(tx.rs) && tx.normal != serial && !tx.validLocked(checked) {", new: "if false {"}},
	{law: "a commit that is not valid lets go", every: true, mutant: mutant{file: "commit.go",
		old: "\t\ttx.unlock(len(tx.ws))\n\t\ttx.contended()\n", new: "\t\ttx.contended()\n"}},
	{law: "cancellation is seen, wherever it comes", every: true, mutant: mutant{file: "wait.go",
		old: "\tw.done, w.list = ctx.Done(), waitlist.Under(ctx)\n", new: "\tw.done, w.list = ctx.Done(), waitlist.Under(ctx)\n\tif ctx.Err() != nil {\n\t\tw.done = nil\n\t}\n"}},

	// Model.
	{law: "a Model does what the engine does", mutant: mutant{file: "model.go", tests: "TestModelMatchesEngine",
		old: "\tif e := tx.written(c); e != nil {\n", new: "\tif e := tx.written(c); e != nil && m == nil {\n"}},
	{law: "equal states are equal memories", mutant: mutant{file: "model.go", tests: "TestModelExplores|TestModelReadsAndWrites",
		old: "\"\\x00\"))", new: "\"\"))"}},
	{law: "a Model leaves the Vars alone", mutant: mutant{file: "model.go", tests: "TestModelMatchesEngine",
		old: "\t\t\tm.step.Writes = append(m.step.Writes, n)\n", new: "\t\t\tm.step.Writes = append(m.step.Writes, n)\n\t\t\ttx.ws[i].c.publish(tx.ws[i].w, tx.ws[i].p)\n"}},
	{law: "values are told apart by what can be reached", mutant: mutant{file: "debug_print.go", tests: "TestModelComparesDeeply",
		old: "\tslices.SortFunc(all, bytes.Compare)\n", new: "\tslices.SortFunc(all, func(a, b []byte) int { return 0 })\n"}},

	// Diagnosis.
	{law: "debug mode finds a foreign goroutine", mutant: mutant{file: "debug.go", tests: "TestDebugFindsMisuse",
		old: "if goroutineID() != x.goroutine {", new: "if false {"}},
	{law: "debug mode finds a nested transaction", mutant: mutant{file: "debug.go", tests: "TestDebugFindsMisuse",
		old: "outer != nil {", new: "outer != nil && false {"}},
	{law: "debug mode finds an impure body", mutant: mutant{file: "debug_look.go", tests: "TestDebugFindsMisuse",
		old: "case l.print != before.print:", new: "case false:"}},
	{law: "debug mode finds a changed value", mutant: mutant{file: "debug_look.go", tests: "TestDebugFindsMisuse",
		old: "f.print == now {", new: "f.got || f.print == now {"}},
	{law: "debug mode spares what is shared", mutant: mutant{file: "debug_print.go", tests: "TestDebugLetsValuesBe",
		old: "case isShared(v.Type()), p.number == nil && holdsVar(v.Type()):", new: "case isShared(v.Type()):"}},
	{law: "debug mode undoes its trial", mutant: mutant{file: "debug.go", tests: "TestDebugLetsTermsBe",
		old: "\ttx.undoTo(s)\n", new: "\ttx.keep(s)\n"}},
	{law: "a lost run is counted for its Var", mutant: mutant{file: "commit.go", tests: "TestContention",
		old: "\t\ttx.contended()\n", new: ""}},
}

// The texts that the faults replace are there, also where nobody builds them.
func TestFaultsFit(t *testing.T) {
	for _, f := range faults {
		text, err := os.ReadFile(f.file)
		require.NoError(t, err)
		require.Equal(t, 1, strings.Count(string(text), f.old), f.law)
	}
}

func TestEveryLawCanFail(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil || !long.On() || raceEnabled {
		t.Skip("with -long, where there is a go command")
	}
	for _, f := range faults {
		t.Run(f.law, func(t *testing.T) {
			t.Parallel()
			if f.every {
				f.tests = "TestEveryStatement"
			}
			out, err := runChanged(t, f.tests, f.mutant, f.every)
			require.Error(t, err, "the fault was not found")
			require.Regexp(t, "--- FAIL: |panic: ", out)
		})
	}
}
