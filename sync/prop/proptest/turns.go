package proptest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// Turns checks that callers that wait are served in the order in which they came. enter waits for something that one
// caller can have at a time, and leave gives it back. While it is taken, callers come one by one, and some give up. A
// scenario for simulations, where a caller's coming and its waiting are one step apart.
func Turns(ctx context.Context, enter, leave func(ctx context.Context) error) error {
	if err := enter(ctx); err != nil {
		return err
	}
	served := stm.NewVar[[]int](nil)
	var patient []int
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for who := range turns {
			impatient := env.Choose(ctx, "impatient", 4) == 0
			if !impatient {
				patient = append(patient, who)
			}
			s.Go(fmt.Sprint("caller-", who), func(ctx context.Context) error {
				if impatient {
					return givesUp(ctx, enter)
				}
				if err := enter(ctx); err != nil {
					return err
				}
				if err := serve(ctx, served, who); err != nil {
					return err
				}
				return leave(ctx)
			})
			if err := env.Sleep(ctx, time.Millisecond); err != nil { // until the caller waits
				return err
			}
		}
		if err := env.Sleep(ctx, time.Second); err != nil { // until the impatient have left
			return err
		}
		return leave(ctx)
	})
	if err != nil {
		return err
	}
	if got := served.Load(ctx); !slices.Equal(got, patient) {
		return fmt.Errorf("served in the order %v, came in the order %v", got, patient)
	}
	return nil
}

const turns = 8

// givesUp waits for enter for less time than it will take.
func givesUp(ctx context.Context, enter func(ctx context.Context) error) error {
	soon, cancel := env.WithTimeout(ctx, time.Duration(1+env.Choose(ctx, "patience", 3))*500*time.Microsecond)
	defer cancel()
	switch err := enter(soon); {
	case err == nil:
		return errors.New("entered what somebody else has")
	case errors.Is(err, context.DeadlineExceeded):
		return nil
	default:
		return err
	}
}

func serve(ctx context.Context, served *stm.Var[[]int], who int) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		served.Set(tx, append(slices.Clip(served.Get(tx)), who))
		return nil
	})
}
