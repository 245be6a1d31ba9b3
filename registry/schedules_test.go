package registry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// turning is a schedule that lets a task go on while it can, but for some turns. Tasks named late wait for a turn.
type turning struct {
	turns  []turn
	widths []int // how many could run, at each decision
}

type turn struct{ at, by int }

const late = "late"

func (s *turning) Pick(ready []*sim.Task, last int) int {
	at, i := len(s.widths), max(last, 0)
	for n := 0; ready[i].Name() == late && n < len(ready); n++ {
		i = (i + 1) % len(ready)
	}
	s.widths = append(s.widths, len(ready))
	for _, t := range s.turns {
		if t.at == at {
			i += t.by
		}
	}
	return i % len(ready)
}

// everySchedule runs a program under all schedules with at most so many turns, so that whatever can happen between two
// steps of a task happens between any two. It returns the first failure and how many schedules there were.
func everySchedule(turns int, program func(ctx context.Context) error) (runs int, err error) {
	var below func(s *turning) error
	below = func(s *turning) error {
		r := sim.Run(1, program, sim.With(s))
		runs++
		if r.Err != nil {
			return fmt.Errorf("with turns %v: %w", s.turns, r.Err)
		}
		if len(s.turns) == turns {
			return nil
		}
		from := 0
		if n := len(s.turns); n > 0 {
			from = s.turns[n-1].at + 1
		}
		for at := from; at < len(s.widths); at++ {
			for by := 1; by < s.widths[at]; by++ {
				more := append(s.turns[:len(s.turns):len(s.turns)], turn{at, by})
				if err := below(&turning{turns: more}); err != nil {
					return err
				}
			}
		}
		return nil
	}
	err = below(new(turning))
	return runs, err
}

// step is a step that others can come before, unless it is a task's first.
func step(ctx context.Context) error { return stm.Do(ctx, func(*stm.Tx) error { return nil }) }

func steps(ctx context.Context, n int) error {
	for range n {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// every runs each program under every schedule, and wants nothing of it but that it finds no fault itself.
func every(t *testing.T, turns int, programs map[string]func(ctx context.Context) error) {
	for name, program := range programs {
		t.Run(name, func(t *testing.T) {
			runs, err := everySchedule(turns, program)
			t.Logf("%d schedules", runs)
			require.NoError(t, err)
			require.Greater(t, runs, 50, "a program without choices shows nothing")
		})
	}
}

// The planted races are found: one needs one turn, the other two.
func TestEverySchedule(t *testing.T) {
	race := func(turns int) error {
		_, err := everySchedule(turns, func(ctx context.Context) error {
			v := 0
			err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				for range 2 {
					s.Go("adder", func(ctx context.Context) error {
						was := v
						err := steps(ctx, 2)
						v = was + 1
						return err
					})
				}
				return nil
			})
			if v != 2 {
				return errors.Join(err, errBoom)
			}
			return err
		})
		return err
	}
	require.NoError(t, race(0))
	require.ErrorIs(t, race(1), errBoom)
	there := func(turns int) error {
		_, err := everySchedule(turns, func(ctx context.Context) error {
			v := 0
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				s.Go("setter", func(ctx context.Context) error {
					err := step(ctx)
					v = 1
					err = errors.Join(err, step(ctx))
					v = 0
					return err
				})
				s.Go("looker", func(ctx context.Context) error {
					err := step(ctx)
					if v == 1 {
						return errBoom
					}
					return err
				})
				return nil
			})
		})
		return err
	}
	require.NoError(t, there(1))
	require.ErrorIs(t, there(2), errBoom)
}
