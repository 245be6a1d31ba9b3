package chainsel

import (
	"context"
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/store"
)

// acquireEnd makes the last snapshot a thing that the scope releases: after the tasks have ended, and before the store is closed, which is older.
func (c *Chain[S]) acquireEnd(s *registry.Scope) error {
	if !c.cfg.SnapshotAtEnd {
		return nil
	}
	_, err := registry.Acquire(s, "chainsel end", func(context.Context) (*Chain[S], error) { return c, nil },
		func(ctx context.Context, c *Chain[S]) error { return c.keepEnd(ctx) })
	return err
}

// keepEnd writes the state after the tip, if the selection task has ended in order and Open could not go on from that very block anyway.
func (c *Chain[S]) keepEnd(ctx context.Context) error {
	if c.end == nil || c.end.Tip() == c.kept.Load(ctx) || c.end.Tip() == c.cfg.Genesis {
		return nil
	}
	err := c.keep(ctx, &snapshot[S]{c.end.Tip(), c.end.State, c.end.Fragment.Anchor().BlockNo})
	if errors.Is(err, store.ErrFailed) || errors.Is(err, store.ErrClosed) {
		return nil // which the store's owner reports; the next Open replays
	}
	return err
}

// recall makes all states of the selection known: it applies what is stored after the newest snapshot that is not after the anchor. That happens once at
// most in a life, when a chain comes that leaves the selection before the block that Open went on from.
func (t *selector[S]) recall(ctx context.Context) error {
	c, sel := t.c, *t.sel
	anchor := sel.Fragment.Anchor().BlockNo
	at, state, err := c.before(anchor)
	if err != nil {
		return err
	}
	known := append([]S(nil), sel.states...)
	for n := at; ; n++ {
		if n > at {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if state, err = c.reapply(state, n); err != nil {
				return err
			}
		}
		if n >= anchor {
			if i := int(n - anchor); i < sel.unknown {
				known[i] = state
			} else {
				break
			}
		}
	}
	sel.states, sel.unknown = known, 0
	t.sel = &sel
	return nil
}

// before is the newest state at or before a number of the selection that is stored, or where all begins.
func (c *Chain[S]) before(n chain.BlockNo) (at chain.BlockNo, state S, err error) {
	ms, bad, err := c.disk.manifests()
	if err != nil {
		return 0, state, err
	}
	for i, m := range ms {
		if m.at.BlockNo > n || bad[i] != nil {
			continue
		}
		if state, err := c.restore(m); err == nil {
			return m.at.BlockNo, state, nil
		}
	}
	return 0, c.cfg.Initial, nil
}

// reapply is the state after the stored block with a number, from that before it.
func (c *Chain[S]) reapply(before S, n chain.BlockNo) (after S, err error) {
	h, err := c.disk.header(n)
	if err != nil {
		return after, err
	}
	b, err := c.disk.block(h)
	if err != nil {
		return after, err
	}
	if after, err = c.cfg.Ledger.Apply(before, b); err != nil {
		return after, c.disk.corrupt(fmt.Sprintf("block %d", n), err)
	}
	return after, nil
}

// span is the tip at a number and the headers after it up to another, linked.
func (d disk) span(from, to chain.BlockNo) (chain.Tip, []*chain.Header, error) {
	if from == 0 {
		headers, err := d.headers(1, to)
		if err == nil && headers[0].Prev() != d.genesis {
			err = d.corrupt("header 1", chain.ErrNotNext)
		}
		return chain.Tip{Point: chain.Point{Hash: d.genesis}}, headers, err
	}
	headers, err := d.headers(from, to)
	if err != nil {
		return chain.Tip{}, nil, err
	}
	return headers[0].Tip(), headers[1:], nil
}
