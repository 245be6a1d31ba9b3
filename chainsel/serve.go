package chainsel

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
)

// Block is a block of the selection, however old, or of the volatile part. ErrNotFound if it is neither, or not any more.
func (c *Chain[S]) Block(ctx context.Context, p chain.Point) (chain.Block, error) {
	for b, err := range c.Range(ctx, p, p) {
		return b, err
	}
	return chain.Block{}, c.absent(p)
}

// At is the header of the selection with a number, however old: a look-up in memory or one read of the store. ErrNotFound for 0, which is the
// genesis, and for numbers after the tip. Of two calls the selection may have moved between, so headers of neighbouring numbers need not link.
func (c *Chain[S]) At(ctx context.Context, n chain.BlockNo) (*chain.Header, error) {
	frag := c.sel.Load(ctx).Fragment
	switch {
	case n == 0 || n > frag.Tip().BlockNo:
		return nil, fmt.Errorf("%w: block %d", ErrNotFound, n)
	case n > frag.Anchor().BlockNo:
		return frag.At(int(n-frag.Anchor().BlockNo) - 1), nil
	}
	if at := frag.Anchor(); n == at.BlockNo {
		h, err := c.disk.header(n)
		if err == nil && h.Tip() != at {
			err = c.disk.corrupt(fmt.Sprintf("header %d", n), fmt.Errorf("%v instead of %v", h, at))
		}
		return h, err
	}
	headers, err := c.disk.headers(n, n+1) // no rollback reaches them any more; the later one vouches for the earlier
	if err != nil {
		return nil, err
	}
	return headers[0], nil
}

// Range iterates over the blocks from one point to another, both included: a piece of one chain, oldest first, selected or not. The piece is
// fixed when the iteration starts. An error is the last pair:
//
//   - ErrNotFound as the first pair: the points are not ends of a chain that is here;
//   - ErrNotFound later: the selection has moved, and the volatile part had no room for what it left;
//   - ErrLimit: more than RangeMax blocks;
//   - that of ctx, of the store, or a *CorruptError.
func (c *Chain[S]) Range(ctx context.Context, from, to chain.Point) iter.Seq2[chain.Block, error] {
	return func(yield func(chain.Block, error) bool) {
		headers, err := c.headers(ctx, from, to)
		for _, h := range headers {
			if err = ctx.Err(); err != nil {
				err = context.Cause(ctx)
				break
			}
			var b chain.Block
			if b, err = c.body(ctx, h); err != nil || !yield(b, nil) {
				break
			}
		}
		if err != nil {
			yield(chain.Block{}, err)
		}
	}
}

func (c *Chain[S]) absent(p chain.Point) error { return fmt.Errorf("%w: block %v", ErrNotFound, p) }

// headers are those of a range.
func (c *Chain[S]) headers(ctx context.Context, from, to chain.Point) ([]*chain.Header, error) {
	if to.Slot < from.Slot {
		return nil, c.absent(to)
	}
	var sel *Selection[S]
	newest, err := stm.Atomically(ctx, func(tx *stm.Tx) (headers []*chain.Header, err error) {
		sel = c.sel.Get(tx)
		return c.recent(sel, c.volatile.Get(tx), from, to)
	})
	if err != nil {
		return nil, err
	}
	if n := len(newest); n == 0 || newest[n-1].Point() != from {
		// The range starts before the fragment: the rest of it never changes.
		end := sel.Fragment.Anchor()
		if n == 0 {
			var ok bool
			if end, ok, err = c.disk.find(end, to); err != nil || !ok || end.BlockNo == 0 {
				return nil, orAbsent(err, c.absent(to))
			}
		}
		start, ok, err := c.disk.find(end, from)
		if err != nil || !ok || start.BlockNo == 0 {
			return nil, orAbsent(err, c.absent(from))
		}
		if count := int(end.BlockNo-start.BlockNo) + 1 + n; count > c.cfg.RangeMax {
			return nil, c.tooLong()
		}
		old, err := c.disk.headers(start.BlockNo, end.BlockNo)
		if err != nil {
			return nil, err
		}
		slices.Reverse(old)
		newest = append(newest, old...)
	}
	slices.Reverse(newest)
	return newest, nil
}

func (c *Chain[S]) tooLong() error {
	return fmt.Errorf("%w: a range of more than %d blocks", ErrLimit, c.cfg.RangeMax)
}

func orAbsent(err, absent error) error {
	if err != nil {
		return err
	}
	return absent
}

// recent are the headers from to back to from, newest first, as far as they are in memory: down to from or to the first block after the
// selection's anchor. None if to is not in memory.
func (c *Chain[S]) recent(sel *Selection[S], vol trie[place], from, to chain.Point) ([]*chain.Header, error) {
	var out []*chain.Header
	for at := to.Hash; ; {
		h := c.inMemory(sel, vol, at)
		if h == nil {
			if i, ok := sel.find(at); len(out) > 0 && !(ok && i < 0) {
				return nil, c.absent(from) // a fork whose start is not here
			}
			return out, nil
		}
		if len(out) == 0 && h.Point() != to || h.Slot() < from.Slot {
			return nil, c.absent(from)
		}
		if out = append(out, h); len(out) > c.cfg.RangeMax {
			return nil, c.tooLong()
		}
		if h.Point() == from {
			return out, nil
		}
		at = h.Prev()
	}
}

func (c *Chain[S]) inMemory(sel *Selection[S], vol trie[place], hash chain.Hash) *chain.Header {
	if i, ok := sel.find(hash); ok {
		if i < 0 {
			return nil
		}
		return sel.Fragment.At(i)
	}
	if p, ok := vol.Get(hash); ok {
		return p.block.Header
	}
	return nil
}

// body finds the block of a header that was here a moment ago. A block that leaves the selection is in the volatile part before it leaves the
// disk, so looking there, on the disk and there again misses none that is kept.
func (c *Chain[S]) body(ctx context.Context, h *chain.Header) (chain.Block, error) {
	for range 2 {
		if p, ok := c.volatile.Load(ctx).Get(h.Hash()); ok {
			return p.block, nil
		}
		stored, err := c.disk.header(h.BlockNo())
		if err == nil && stored.Hash() == h.Hash() {
			if b, err := c.disk.block(stored); err == nil {
				return b, nil
			}
		}
	}
	return c.lost(ctx, h)
}

// lost tells a block that has left from one that is unreadable.
func (c *Chain[S]) lost(ctx context.Context, h *chain.Header) (chain.Block, error) {
	sel := c.sel.Load(ctx)
	if i, ok := sel.find(h.Hash()); !ok && h.BlockNo() > sel.Fragment.Anchor().BlockNo || ok && i < 0 {
		return chain.Block{}, c.absent(h.Point())
	}
	stored, err := c.disk.header(h.BlockNo())
	if err != nil {
		return chain.Block{}, err
	}
	b, err := c.disk.block(stored)
	if err == nil && stored.Hash() != h.Hash() {
		err = c.absent(h.Point())
	}
	return b, err
}
