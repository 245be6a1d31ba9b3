package simtest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simtest"
	"github.com/synodkit/synod/sim/walk"
	"github.com/synodkit/synod/stm"
)

// probe is a testing.TB that keeps what it is told.
type probe struct {
	testing.TB
	said   strings.Builder
	failed bool
}

func (p *probe) Helper()      {}
func (p *probe) Name() string { return "TestProbe" }

func (p *probe) Logf(format string, args ...any) { fmt.Fprintf(&p.said, format+"\n", args...) }

func (p *probe) Fatal(args ...any) {
	p.Logf("%s", fmt.Sprint(args...))
	p.failed = true
	runtime.Goexit()
}

func (p *probe) Fatalf(format string, args ...any) { p.Fatal(fmt.Sprintf(format, args...)) }

// probed is what f says to its testing.TB, and whether it fails.
func probed(f func(t testing.TB)) (said string, failed bool) {
	p, done := new(probe), make(chan bool)
	go func() {
		defer close(done)
		f(p)
	}()
	<-done
	return p.said.String(), p.failed
}

var replayLine = regexp.MustCompile(`SIM_REPLAY='([^']+)' go test -run '\^TestProbe\$'`)

// A failure is reported with a line that replays it and the minimal schedule.
func TestCheckReports(t *testing.T) {
	for name, scenario := range bugs {
		said, failed := probed(func(t testing.TB) { simtest.Check(t, scenario, simtest.Runs(1000)) })
		require.True(t, failed, name)
		line := replayLine.FindStringSubmatch(said)
		require.NotNil(t, line, said)
		require.Contains(t, said, "minimal schedule")
		r := simtest.Replay(t, line[1], scenario)
		require.Error(t, r.Err, name)
		require.Contains(t, said, r.Trace[len(r.Trace)-1])
		if name == "lost update" {
			t.Log(said)
		}

		t.Setenv("SIM_REPLAY", line[1])
		said, failed = probed(func(t testing.TB) { simtest.Check(t, scenario) })
		require.True(t, failed)
		require.Contains(t, said, "the replay ends after")
		require.NoError(t, os.Unsetenv("SIM_REPLAY"))
	}
}

func TestExploreReports(t *testing.T) {
	said, failed := probed(func(t testing.TB) { simtest.Explore(t, lockOrder(3)) })
	require.True(t, failed)
	line := replayLine.FindStringSubmatch(said)
	require.NotNil(t, line, said)
	var d *sim.DeadlockError
	require.ErrorAs(t, simtest.Replay(t, line[1], lockOrder(3)).Err, &d)

	correct := func(ctx context.Context) error {
		v := stm.NewVar(0)
		add := func(ctx context.Context) error {
			return stm.Do(ctx, func(tx *stm.Tx) error { v.Update(tx, func(n int) int { return n + 1 }); return nil })
		}
		err := start(ctx, add, add, add)
		if v.Load(ctx) != 3 {
			return errLost
		}
		return err
	}
	res := simtest.Explore(t, correct)
	require.True(t, res.Complete)
	require.Equal(t, 6, res.Runs-res.Cut)
	simtest.Check(t, correct)
}

// Steps are walked backwards by stopping earlier.
func TestReplayStops(t *testing.T) {
	full := simtest.Replay(t, "1 0*1,0.1*2", lostUpdate(2, 0))
	for n := full.Steps - 1; n > 0; n-- {
		r := simtest.Replay(t, fmt.Sprint("1 0*1,0.1*2 ", n), lostUpdate(2, 0))
		require.ErrorIs(t, r.Err, sim.ErrCut)
		require.Len(t, r.Trace, n)
		require.Equal(t, full.Trace[:min(n, 1)], r.Trace[:min(n, 1)])
	}
}

var errDisk = errors.New("disk")

// faulty asks a fail point between two conflicting steps.
func faulty(ctx context.Context) error {
	v := stm.NewVar(0)
	return start(ctx, func(ctx context.Context) error { return set(ctx, v, 1) }, func(ctx context.Context) error {
		if env.Fault(ctx, "disk") != nil {
			return set(ctx, v, 2)
		}
		return set(ctx, v, 3)
	})
}

// What cannot fail is a failure.
func TestVacuousTestsFail(t *testing.T) {
	alone := func(ctx context.Context) error { return set(ctx, stm.NewVar(0), 1) }
	apart := func(ctx context.Context) error {
		return start(ctx, func(ctx context.Context) error { return noise(ctx, 3) }, func(ctx context.Context) error { return noise(ctx, 3) })
	}
	for name, c := range map[string]struct {
		want string
		f    func(t testing.TB)
	}{
		"one task":               {"nothing was checked", func(t testing.TB) { simtest.Check(t, alone) }},
		"no conflict":            {"nothing was explored", func(t testing.TB) { simtest.Explore(t, apart) }},
		"a fault elsewhere":      {"the fault at net never came about", func(t testing.TB) { simtest.Check(t, faulty, simtest.Fault("net", errDisk, 1)) }},
		"a fault that never is":  {"the fault at disk never came about", func(t testing.TB) { simtest.Check(t, faulty, simtest.Fault("disk", errDisk, 0)) }},
		"explored, another site": {"the fault at net never came about", func(t testing.TB) { simtest.Explore(t, faulty, simtest.Fault("net", errDisk, 1)) }},
	} {
		said, failed := probed(c.f)
		require.True(t, failed, name)
		require.Contains(t, said, c.want, name)
	}
	simtest.Check(t, faulty, simtest.Fault("disk", errDisk, 0.3))
	require.Greater(t, simtest.Explore(t, faulty, simtest.Fault("disk", errDisk, 0)).Runs, simtest.Explore(t, faulty).Runs)
	said, failed := probed(func(t testing.TB) { simtest.Explore(t, lockOrder(2), simtest.Runs(1)) })
	require.True(t, failed)
	require.Contains(t, said, "1 runs were not enough")
}

// Programs that are no function of their seed are found out, and where.
func TestNondeterminismIsFound(t *testing.T) {
	leaky := func(ctx context.Context) error {
		var vs []*stm.Var[int]
		for i := range 7 {
			vs = append(vs, stm.NewVar(0).Label(fmt.Sprint("v", i)))
		}
		return start(ctx, func(ctx context.Context) error {
			for _, i := range map[int]int{0: 0, 1: 0, 2: 1, 3: 2, 4: 3, 5: 4, 6: 5, 7: 6} {
				if err := set(ctx, vs[i], 1); err != nil {
					return err
				}
			}
			return nil
		}, func(ctx context.Context) error { return set(ctx, stm.NewVar(0), 2) })
	}
	said, failed := probed(func(t testing.TB) { simtest.Check(t, leaky) })
	require.True(t, failed)
	require.Contains(t, said, "not a function of its seed")
	require.Contains(t, said, "first difference")
}

// Escapes are found in the first run.
func TestEscapesAreFound(t *testing.T) {
	release := make(chan bool)
	said, failed := probed(func(t testing.TB) {
		simtest.Check(t, func(ctx context.Context) error {
			return start(ctx, func(ctx context.Context) error {
				go func() { <-release }()
				return noise(ctx, 2)
			}, func(ctx context.Context) error { return noise(ctx, 2) })
		})
	})
	close(release)
	require.True(t, failed)
	require.Contains(t, said, "started a goroutine")

	said, failed = probed(func(t testing.TB) {
		simtest.Check(t, func(ctx context.Context) error {
			return set(context.WithoutCancel(context.Background()), stm.NewVar(0), 1)
		})
	})
	require.True(t, failed)
	require.Contains(t, said, "context without a world")
}

func TestOptions(t *testing.T) {
	simtest.Check(t, faulty, simtest.Runs(5), simtest.Seed(9), simtest.Walks(walk.Random()), simtest.Sim(sim.StuckAfter(time.Minute)))
	for _, line := range []string{"", "x 0*1", "1 0*0", "1 0*1 x", "1 1*1", "1 0*1;x"} {
		_, failed := probed(func(t testing.TB) { simtest.Replay(t, line, faulty) })
		require.True(t, failed, line)
	}
	said, _ := probed(func(t testing.TB) { simtest.Replay(t, "1 0*1,0.7*1", faulty) })
	require.Contains(t, said, "leaves the schedule at step 2: task 0.7")
}
