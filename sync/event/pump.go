package event

import (
	"context"
	"errors"

	"github.com/synodkit/synod/sync/prop"
)

// Pump starts a task that takes from a source and sends to a Go channel, for code that has to have a channel. The task
// ends, and closes the channel, when the source is closed or the task is cancelled.
//
// The task has one value in its hands that has been taken and not yet received. If it is cancelled then, undelivered is
// called with the value; nil drops it. Sync with FromChan and Tx needs no task and has nothing in its hands.
func Pump[T any](spawn Spawn, name string, from prop.Source[T], undelivered func(v T)) <-chan T {
	to := make(chan T)
	spawn(name, func(ctx context.Context) error {
		defer close(to)
		return pump(ctx, from, to, undelivered)
	})
	return to
}

func pump[T any](ctx context.Context, from prop.Source[T], to chan<- T, undelivered func(v T)) error {
	if err := unsimulated(ctx); err != nil {
		return err
	}
	for v, err := range prop.All(ctx, from) {
		if err != nil {
			return err
		}
		select {
		case to <- v:
		case <-ctx.Done():
			if undelivered != nil {
				undelivered(v)
			}
			return context.Cause(ctx)
		}
	}
	return nil
}

// PumpInto starts a task that receives from a Go channel and puts into a sink, waiting as Put does. The task ends, and
// closes the sink, when the channel is closed or the task is cancelled; if somebody else closes the sink, it ends with
// the next value that comes. What could not be put, what Put returns as lost, and what the task has in its hands when it is cancelled go to undelivered; nil drops
// them.
func PumpInto[T any](spawn Spawn, name string, from <-chan T, to prop.Sink[T], undelivered func(v T)) {
	spawn(name, func(ctx context.Context) error {
		if err := unsimulated(ctx); err != nil {
			return err
		}
		defer surely(ctx, to.Close)
		return pumpInto(ctx, from, to, undelivered)
	})
}

func pumpInto[T any](ctx context.Context, from <-chan T, to prop.Sink[T], undelivered func(v T)) error {
	for {
		v, err := Sync(ctx, FromChan(from))
		if errors.Is(err, prop.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		lost, err := prop.Send(ctx, to, v)
		switch {
		case err != nil:
			lost = prop.Lost[T]{Value: v, Any: true}
		case lost.Any:
		default:
			continue
		}
		if undelivered != nil {
			undelivered(lost.Value)
		}
		if errors.Is(err, prop.ErrClosed) {
			return nil
		}
		if err != nil && !errors.Is(err, prop.ErrFull) {
			return err
		}
	}
}
