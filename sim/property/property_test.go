package property_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/property"
	"github.com/synodkit/synod/sim/simtest"
	"github.com/synodkit/synod/stm"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

// lights is a program whose states properties are told about: red, then both for one step, then green, and after 3 s red again.
type lights struct{ red, green *stm.Var[bool] }

func newLights() lights {
	return lights{stm.NewVar(true).Label("red"), stm.NewVar(false).Label("green")}
}

func set(ctx context.Context, v *stm.Var[bool], x bool) {
	_ = stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, x); return nil })
}

func (l lights) run(ctx context.Context) error {
	set(ctx, l.green, true)
	set(ctx, l.red, false)
	if err := env.Sleep(ctx, 3*time.Second); err != nil {
		return err
	}
	set(ctx, l.red, true)
	set(ctx, l.green, false)
	return nil
}

func watched(seed uint64, declare func(l lights) property.Property, opts ...sim.Option) *sim.Report {
	return sim.Run(seed, func(ctx context.Context) error {
		l := newLights()
		property.Watch(ctx, declare(l))
		return l.run(ctx)
	}, opts...)
}

func TestKinds(t *testing.T) {
	both := func(l lights) property.Predicate {
		return func(tx *stm.Tx) bool { r, g := l.red.Get(tx), l.green.Get(tx); return r && g }
	}
	for name, c := range map[string]struct {
		declare func(l lights) property.Property
		want    string // "" if it holds
		at      time.Duration
	}{
		"a state of one step, always": {func(l lights) property.Property {
			return property.Always("not both", func(tx *stm.Tx) bool { return !both(l)(tx) })
		}, "always not both: does not hold", 0},
		"a state of one step, never": {func(l lights) property.Property { return property.Never("both", both(l)) }, "never both: holds", 0},
		"a state of the start":       {func(l lights) property.Property { return property.Never("red", l.red.Get) }, "never red: holds", 0},
		"a check that says what":     {func(l lights) property.Property { return property.Holds("one", one(l)) }, "always one: both are lit", 0},
		"always, and it does":        {func(l lights) property.Property { return property.Always("some", some(l)) }, "", 0},
		"never, and it does not":     {func(l lights) property.Property { return property.Never("dark", dark(l)) }, "", 0},
		"eventually, in time":        {func(l lights) property.Property { return property.Eventually("both", both(l), time.Second) }, "", 0},
		"eventually, too late":       {func(l lights) property.Property { return property.Eventually("red again", again(l), 2*time.Second) }, "did not come about within 2s", 2 * time.Second},
		"eventually, on the dot":     {func(l lights) property.Property { return property.Eventually("red again", again(l), 3*time.Second) }, "", 0},
		"eventually, not before the end": {func(l lights) property.Property {
			return property.Eventually("dark", dark(l), time.Hour)
		}, "did not come about when the run ended", 3 * time.Second},
		"leads to, in time": {func(l lights) property.Property {
			return property.LeadsTo("g r", l.green.Get, l.red.Get, 3*time.Second)
		}, "", 0},
		"leads to, too late": {func(l lights) property.Property { return property.LeadsTo("g d", l.green.Get, dark(l), 2*time.Second) }, "was not followed within 2s", 2 * time.Second},
		"cold":               {func(l lights) property.Property { return property.Cold("green", l.green.Get, 3*time.Second) }, "", 0},
		"hot":                {func(l lights) property.Property { return property.Cold("green", l.green.Get, time.Second) }, "the state stays hot within 1s", time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			r := watched(1, c.declare)
			if c.want == "" {
				require.NoError(t, r.Err)
				require.Equal(t, 3*time.Second, r.Elapsed)
				return
			}
			var e *property.Error
			require.ErrorAs(t, r.Err, &e)
			require.ErrorIs(t, r.Err, property.ErrViolated)
			require.ErrorContains(t, r.Err, c.want)
			require.Equal(t, c.at, e.At)
			require.Equal(t, r, watched(1, c.declare, sim.Races()), "it is the same run again")
		})
	}
}

func one(l lights) func(tx *stm.Tx) error {
	return func(tx *stm.Tx) error {
		if l.red.Get(tx) && l.green.Get(tx) {
			return errors.New("both are lit")
		}
		return nil
	}
}

func some(l lights) property.Predicate {
	return func(tx *stm.Tx) bool { r, g := l.red.Get(tx), l.green.Get(tx); return r || g }
}

func dark(l lights) property.Predicate { return func(tx *stm.Tx) bool { return !some(l)(tx) } }

// again is true after green.
func again(l lights) property.Predicate {
	return func(tx *stm.Tx) bool { red := l.red.Get(tx); return red && env.Time(tx).Second() > 0 }
}

// A state that lasts one step of a schedule is missed by an ordinary task that looks, in many runs; never by a property.
func TestNoStateIsMissed(t *testing.T) {
	const runs = 100
	missed, seen := 0, 0
	for seed := range uint64(runs) {
		looks := stm.NewVar(false)
		r := sim.Run(seed, func(ctx context.Context) error {
			l := newLights()
			property.Watch(ctx, property.Never("both", func(tx *stm.Tx) bool { return l.red.Get(tx) && l.green.Get(tx) }))
			return l.run(ctx)
		})
		if r.Err != nil {
			seen++
		}
		r = sim.Run(seed, func(ctx context.Context) error {
			l := newLights()
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				s.Go("looker", func(ctx context.Context) error {
					for both, err := range stm.Watch(ctx, func(tx *stm.Tx) bool { return l.red.Get(tx) && l.green.Get(tx) }) {
						if both {
							set(env.WithoutCancel(ctx), looks, true)
						}
						if both || err != nil {
							return err
						}
					}
					return nil
				})
				if err := l.run(ctx); err != nil {
					return err
				}
				return errDone
			})
		})
		require.ErrorIs(t, r.Err, errDone)
		if !looks.Load(context.Background()) {
			missed++
		}
	}
	require.Equal(t, runs, seen)
	require.Greater(t, missed, runs/10)
}

var errDone = errors.New("done")

// Watching changes neither schedule nor time.
func TestWatchingIsBesideTheRun(t *testing.T) {
	with := func(seed uint64, watch bool) *sim.Report {
		return sim.Run(seed, func(ctx context.Context) error {
			l, m := newLights(), newLights()
			if watch {
				property.Watch(ctx, property.Always("some", some(l)), property.Cold("green", l.green.Get, time.Hour),
					property.Eventually("red", l.red.Get, time.Hour), property.Sometimes("dark", dark(l)))
			}
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				s.Go("l", l.run)
				s.Go("m", m.run)
				return nil
			})
		}, sim.Record())
	}
	for seed := range uint64(50) {
		a, b := with(seed, false), with(seed, true)
		require.NoError(t, a.Err)
		require.NoError(t, b.Err)
		require.Equal(t, unnumbered(a.Trace), unnumbered(b.Trace))
	}
}

// unnumbered are lines without the numbers of contexts and unlabelled Vars, which follow from who touches first.
func unnumbered(lines []string) (out []string) {
	for _, l := range lines {
		var fields []string
		for f := range strings.FieldsSeq(l) {
			f, _, _ = strings.Cut(f, "#")
			fields = append(fields, f)
		}
		out = append(out, strings.Join(fields, " "))
	}
	return out
}

// A deadlock is one, however long a promise has time.
func TestDeadlockBeforePromises(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		v := stm.NewVar(false).Label("v")
		property.Watch(ctx, property.Eventually("v", v.Get, time.Hour))
		return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(v.Get(tx)); return nil })
	})
	var d *sim.DeadlockError
	require.ErrorAs(t, r.Err, &d)
	require.Equal(t, []sim.Wait{{Task: "main", For: []string{"v"}}}, d.Waiting)
	require.Zero(t, r.Elapsed)
}

// A violation has the wait graph, with the cycle when the run is recorded.
func TestViolationHasTheWaitGraph(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		fork, knife := stm.NewVar(false).Label("fork"), stm.NewVar(false).Label("knife")
		property.Watch(ctx, property.Cold("hungry", func(tx *stm.Tx) bool { f, k := fork.Get(tx), knife.Get(tx); return f && k }, time.Minute))
		take := func(a, b *stm.Var[bool]) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				set(ctx, a, true)
				if err := env.Sleep(ctx, time.Second); err != nil {
					return err
				}
				return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(!b.Get(tx)); return nil })
			}
		}
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("alice", take(fork, knife))
			s.Go("bob", take(knife, fork))
			return env.Sleep(ctx, time.Hour)
		})
	}, sim.Record())
	var e *property.Error
	require.ErrorAs(t, r.Err, &e)
	require.Equal(t, []string{"alice", "knife", "bob", "fork", "alice"}, e.Cycle)
	require.ErrorContains(t, r.Err, "alice waits for knife (last changed by bob)")
	require.ErrorContains(t, r.Err, "cycle: alice -> knife -> bob -> fork -> alice")
}

// What is never seen in any run is a failure of the test.
func TestSometimes(t *testing.T) {
	scenario := func(p func(l lights) property.Property) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			l := newLights()
			property.Watch(ctx, p(l))
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				s.Go("red", func(ctx context.Context) error { set(ctx, l.red, false); return nil })
				s.Go("green", func(ctx context.Context) error {
					return stm.Do(ctx, func(tx *stm.Tx) error { l.green.Set(tx, l.red.Get(tx) || true); return nil })
				})
				return nil
			})
		}
	}
	dark := scenario(func(l lights) property.Property { return property.Sometimes("dark", dark(l)) })
	simtest.Check(t, dark)
	simtest.Explore(t, dark)
	seen := 0
	for seed := range uint64(50) {
		n, sought := sim.Run(seed, dark).Seen["dark"]
		require.True(t, sought)
		seen += n
	}
	require.Greater(t, seen, 5)
	require.Less(t, seen, 45)
}
