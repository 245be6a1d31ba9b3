package event

import (
	"context"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
)

// Sync waits until e happens, or ctx ends. With an error from ctx nothing has happened. If e and the end of ctx come
// together, e may have happened: then Sync says so.
func Sync[T any](ctx context.Context, e Event[T]) (none T, err error) {
	var all []alternative[T]
	if e.alternatives != nil {
		all = e.alternatives(ctx)
	}
	var ready []attempt[T]
	offers, channels := false, false
	for _, a := range all {
		if a.begin != nil {
			defer a.begin()()
		}
		if a.ready != nil {
			ready = append(ready, a.ready)
		}
		offers = offers || a.offer != nil
		channels = channels || a.goChan != nil
	}
	var f finish[T]
	switch {
	case channels:
		f, err = withChannels(ctx, all, ready)
	case offers:
		f, err = withOffers(ctx, all, ready)
	default:
		f, err = stm.Atomically(ctx, func(tx *stm.Tx) (finish[T], error) { return stm.Select(tx, ready...) })
	}
	if err != nil {
		return none, err
	}
	return f()
}

// withOffers does what can happen at once, or publishes offers and waits.
func withOffers[T any](ctx context.Context, all []alternative[T], ready []attempt[T]) (finish[T], error) {
	var mine *token
	f, err := stm.Atomically(ctx, func(tx *stm.Tx) (finish[T], error) {
		mine = nil
		now := func(tx *stm.Tx) (finish[T], error) { return stm.Select(tx, ready...) }
		return stm.Select(tx, now, func(tx *stm.Tx) (finish[T], error) {
			mine = newToken()
			for i, a := range all {
				if a.offer != nil {
					a.offer(tx, mine, i)
				}
			}
			return nil, nil
		})
	})
	if err != nil || mine == nil {
		return f, err
	}
	return await(ctx, mine, all)
}

// await waits until somebody has taken an offer, or something else happens. However it ends, no offer is left.
func await[T any](ctx context.Context, mine *token, all []alternative[T]) (f finish[T], err error) {
	var others []attempt[T]
	for _, a := range all {
		if a.offer == nil {
			others = append(others, a.ready)
		}
	}
	left := false
	leave := func() { // also after the end of ctx
		surely(ctx, func(tx *stm.Tx) {
			if m := mine.outcome.Get(tx); m != nil {
				f, err = all[m.nth].met(m.value), nil // it came before
				return
			}
			mine.withdraw(tx)
		})
		left = true
	}
	defer func() {
		if !left { // a panic or Goexit in one of the others
			leave()
		}
	}()
	f, err = stm.Atomically(ctx, func(tx *stm.Tx) (finish[T], error) {
		if m := mine.outcome.Get(tx); m != nil {
			return all[m.nth].met(m.value), nil
		}
		f, err := stm.Select(tx, others...)
		if err == nil {
			mine.withdraw(tx)
		}
		return f, err
	})
	if left = err == nil; !left {
		leave()
	}
	return f, err
}

// surely commits f, which never waits, also after the end of ctx.
func surely(ctx context.Context, f func(tx *stm.Tx)) {
	_ = stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error { f(tx); return nil })
}
