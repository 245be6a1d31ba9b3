package simtest

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/shrink"
)

// variable has the run to replay.
const variable = "SIM_REPLAY"

// linesMax bounds the steps that a report shows.
const linesMax = 120

// report shrinks the failure r and fails t with it.
func (o *options) report(t testing.TB, scenario Scenario, r *sim.Report, by string, run int) {
	t.Helper()
	again := o.replay(scenario, r.Seed, r.Schedule)
	if again.Err == nil || kindOf(again.Err) != kindOf(r.Err) {
		t.Fatalf("%s\nthe failure that does not come again (run %d, %s): %v", o.divergence(scenario, r), run, by, r.Err)
	}
	if again.Hash == 0 { // stuck: each replay would take as long
		t.Fatalf("simtest: run %d (%s) fails: %v", run, by, r.Err)
	}
	least, tries := shrink.Schedule(r.Schedule, o.replays, func(s sim.Schedule) bool {
		return kindOf(o.replay(scenario, r.Seed, s).Err) == kindOf(r.Err)
	})
	shown := o.replay(scenario, r.Seed, least)
	t.Fatalf("simtest: run %d (%s) fails: %v\nreplay: %s='%d %s' go test -run '^%s$' .\n%sminimal schedule (%d segments of %d, %d replays):\n%s",
		run, by, shown.Err, variable, r.Seed, least, strings.ReplaceAll(t.Name(), "/", "$/^"), faults(shown), len(least.Segments), len(r.Schedule.Segments), tries, lines(shown.Trace))
}

// faults says what has come about in r, if it could.
func faults(r *sim.Report) string {
	var said []string
	for _, site := range slices.Sorted(maps.Keys(r.Faults)) {
		said = append(said, fmt.Sprintf("%s %d", site, r.Faults[site]))
	}
	if len(said) == 0 {
		return ""
	}
	return "faults: " + strings.Join(said, ", ") + "\n"
}

// replay makes one run, with its steps as text.
func (o *options) replay(scenario Scenario, seed uint64, s sim.Schedule) *sim.Report {
	return sim.Run(seed, scenario, o.with(sim.With(sim.Replay(s)), sim.Record())...)
}

// kindOf tells failures apart, so that shrinking does not slip from one to another.
func kindOf(err error) string {
	var deadlock *sim.DeadlockError
	var panicked *sim.PanicError
	var named interface{ Kind() string }
	switch {
	case err == nil:
		return ""
	case errors.As(err, &named):
		return named.Kind()
	case errors.As(err, &deadlock):
		return "deadlock"
	case errors.As(err, &panicked):
		return "panic of " + panicked.Task
	}
	return fmt.Sprintf("%T", err)
}

func lines(trace []string) string {
	if n := len(trace) - linesMax; n > 0 {
		return fmt.Sprintf("  (%d earlier steps)\n  %s", n, strings.Join(trace[n:], "\n  "))
	}
	return "  " + strings.Join(trace, "\n  ")
}

// replayed makes the run that the environment asks for, if any.
func replayed(t testing.TB, scenario Scenario, o options) bool {
	t.Helper()
	text, ok := os.LookupEnv(variable)
	if ok {
		r := Replay(t, text, scenario, Sim(o.sim...))
		t.Logf("simtest: the replay ends after %d steps, at %v: %v\n%s", r.Steps, r.Elapsed, r.Err, lines(r.Trace))
		if r.Err != nil {
			t.Fatal("simtest: it fails")
		}
	}
	return ok
}

// Replay makes the run of a replay line, a seed and a schedule, and gives its report, which has the steps as text. It
// goes on past the schedule's end. A schedule that the program does not follow to the end is logged, with the place.
func Replay(t testing.TB, line string, scenario Scenario, opts ...Option) *sim.Report {
	t.Helper()
	o := configure(1, opts)
	n, f, err := parse(line)
	if err != nil {
		t.Fatalf("simtest: replay line %q: %v", line, err)
	}
	r := sim.Run(n, scenario, o.with(sim.With(f), sim.Record())...)
	if at := f.Diverged(); at != "" {
		t.Logf("simtest: the run leaves the schedule at %s", at)
	}
	return r
}

// parse reads a replay line: a seed, a schedule, and after how many steps to stop.
func parse(line string) (seed uint64, r *sim.Replayer, err error) {
	fields := append(strings.Split(line, " "), "", "")
	seed, err = strconv.ParseUint(fields[0], 10, 64)
	if err != nil {
		return 0, nil, err
	}
	s, err := sim.ParseSchedule(fields[1])
	if err != nil {
		return 0, nil, err
	}
	r = sim.Replay(s)
	if fields[2] != "" {
		r.StopAfter, err = strconv.Atoi(fields[2])
	}
	return seed, r, err
}
