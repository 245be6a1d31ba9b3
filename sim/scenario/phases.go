package scenario

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

// phases is the scenario, with its nodes up.
func (r *run) phases(ctx context.Context) error {
	stays := slices.DeleteFunc(slices.Clone(r.Clients), func(c Client) bool { return !c.Stays })
	goes := slices.DeleteFunc(slices.Clone(r.Clients), func(c Client) bool { return c.Stays })
	return registry.Run(ctx, func(ctx context.Context, scope *registry.Scope) error {
		err := stm.Do(ctx, func(tx *stm.Tx) error { r.left.Set(tx, len(goes)); return nil })
		if err != nil {
			return err
		}
		ctx, cancel := env.WithCancel(ctx)
		defer cancel()
		r.employ(ctx, scope, stays)
		if err := r.safety(ctx, goes); err != nil {
			return err
		}
		if r.Liveness != nil {
			if err := r.live(ctx); err != nil {
				return err
			}
		}
		cancel()
		return r.set(ctx, r.over)
	})
}

func (r *run) set(ctx context.Context, v *stm.Var[bool]) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, true); return nil })
}

// employ starts clients as tasks of scope, which end with ctx.
func (r *run) employ(ctx context.Context, scope *registry.Scope, clients []Client) {
	for _, c := range clients {
		scope.Go("client "+c.Name, func(context.Context) error {
			err := c.Run(ctx)
			if err != nil && ctx.Err() == nil {
				return fmt.Errorf("scenario: client %s: %w", c.Name, err)
			}
			if c.Stays {
				return nil
			}
			return stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error { r.left.Set(tx, r.left.Get(tx)-1); return nil })
		})
	}
}

// safety is the phase with faults.
func (r *run) safety(ctx context.Context, clients []Client) error {
	until := r.Until
	if until == nil {
		until = func(tx *stm.Tx) bool { return r.left.Get(tx) == 0 }
	}
	by := env.Now(ctx).Add(r.Limit)
	return registry.Run(ctx, func(ctx context.Context, scope *registry.Scope) error {
		ctx, cancel := env.WithCancel(ctx)
		defer cancel()
		r.employ(ctx, scope, clients)
		calm, err := r.trouble(ctx, scope)
		if err != nil {
			return err
		}
		holds, err := r.within(ctx, by, until)
		switch {
		case err != nil:
			return err
		case !holds:
			return r.stuck(fmt.Errorf("%w of %v", ErrLimit, r.Limit))
		}
		return calm()
	})
}

func (r *run) within(ctx context.Context, by time.Time, p func(tx *stm.Tx) bool) (bool, error) {
	return stm.Query(ctx, func(tx *stm.Tx) bool {
		holds := p(tx)
		tx.Check(holds || env.Reached(tx, by))
		return holds
	})
}

const withinDefault = time.Minute

// live is the liveness phase.
func (r *run) live(ctx context.Context) error {
	l := *r.Liveness
	if l.By <= 0 {
		l.By = 1
	}
	if l.Within <= 0 {
		l.Within = withinDefault
	}
	for _, name := range l.Core {
		if _, err := r.node(name); err != nil {
			return err
		}
	}
	r.world.Fair(true)
	for _, n := range r.Nodes {
		up, err := stm.Query(ctx, r.nodes[n.Name].Up)
		switch core := slices.Contains(l.Core, n.Name); {
		case err != nil:
			return err
		case core && !up:
			err = r.start(ctx, n)
		case !core && up:
			err = r.crash(ctx, n)
		}
		if err != nil {
			return err
		}
	}
	if l.Heal != nil {
		if err := l.Heal(ctx); err != nil {
			return err
		}
	}
	return r.progress(ctx, l)
}

func (r *run) progress(ctx context.Context, l Liveness) error {
	from, err := stm.Query(ctx, l.Progress)
	if err != nil {
		return err
	}
	to := from
	holds, err := r.within(ctx, env.Now(ctx).Add(l.Within), func(tx *stm.Tx) bool { to = l.Progress(tx); return to-from >= l.By })
	if err == nil && !holds {
		err = r.stuck(fmt.Errorf("%w: from %d to %d within %v instead of by %d", ErrNoProgress, from, to, l.Within, l.By))
	}
	return err
}

// crash crashes a node, with its disk and what else belongs to it.
func (r *run) crash(ctx context.Context, n Node) error {
	err := r.nodes[n.Name].Crash(ctx)
	if n.Crash != nil {
		err = errors.Join(err, n.Crash(ctx))
	}
	return err
}
