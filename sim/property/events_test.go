package property_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/property"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/trace"
)

type event struct {
	Ask, Answer int
}

// talk asks 1 and 2, and answers them after a second and after two.
func talk(ctx context.Context, tr trace.Tracer[event]) error {
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for i := 1; i <= 2; i++ {
			s.Go(fmt.Sprint(i), func(ctx context.Context) error {
				tr.Emit(ctx, event{Ask: i})
				if err := env.Sleep(ctx, time.Duration(i)*time.Second); err != nil {
					return err
				}
				return stm.Do(ctx, func(tx *stm.Tx) error {
					tx.OnCommit(func() { tr.Emit(ctx, event{Answer: i}) })
					return nil
				})
			})
		}
		return nil
	})
}

func talked(declare func(s *property.Events[event]) property.Property) *sim.Report {
	return sim.Run(1, func(ctx context.Context) error {
		s := property.Record[event](ctx)
		property.Watch(ctx, declare(s))
		return talk(ctx, s.Tracer())
	})
}

func TestEvents(t *testing.T) {
	asks := func(e event) bool { return e.Ask > 0 }
	answers := func(q, e event) bool { return q.Ask == e.Answer }
	answered := func(within time.Duration) func(s *property.Events[event]) property.Property {
		return func(s *property.Events[event]) property.Property {
			return property.Answered("asked", s, asks, answers, within)
		}
	}
	for name, c := range map[string]struct {
		declare func(s *property.Events[event]) property.Property
		want    string
	}{
		"answered in time":  {answered(2 * time.Second), ""},
		"answered too late": {answered(1500 * time.Millisecond), "{Ask:2 Answer:0} has no answer within 1.5s"},
		"never answered": {func(s *property.Events[event]) property.Property {
			return property.Answered("asked", s, asks, func(q, e event) bool { return false }, time.Hour)
		}, "had no answer when the run ended"},
		"in order": {func(s *property.Events[event]) property.Property {
			return property.EachEvent("rising", s, func(before []event, e event) error {
				for _, b := range before {
					if b.Answer > e.Answer && e.Ask == 0 {
						return fmt.Errorf("after %d", b.Answer)
					}
				}
				return nil
			})
		}, ""},
		"out of order": {func(s *property.Events[event]) property.Property {
			return property.EachEvent("falling", s, func(before []event, e event) error {
				if e.Answer == 2 && len(before) == 3 {
					return fmt.Errorf("after %d", before[2].Answer)
				}
				return nil
			})
		}, "{Ask:0 Answer:2}: after 1"},
		"counted in a transaction": {func(s *property.Events[event]) property.Property {
			return property.Never("two answers", func(tx *stm.Tx) bool { return s.Count(tx, func(e event) bool { return e.Answer > 0 }) > 1 })
		}, "never two answers: holds, 2s after the start"},
	} {
		t.Run(name, func(t *testing.T) {
			r := talked(c.declare)
			if c.want == "" {
				require.NoError(t, r.Err)
				return
			}
			require.ErrorContains(t, r.Err, c.want)
		})
	}
}

// Emitting is no step: with and without somebody who listens the run is the same.
func TestEmittingIsNoStep(t *testing.T) {
	for seed := range uint64(30) {
		silent := sim.Run(seed, func(ctx context.Context) error { return talk(ctx, nil) })
		heard := sim.Run(seed, func(ctx context.Context) error { return talk(ctx, property.Record[event](ctx).Tracer()) }, sim.Races())
		require.NoError(t, heard.Err)
		require.Equal(t, silent, heard)
	}
}
