package chainsel

import (
	"context"
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
)

// readAhead is how many headers are read from the store at a time.
const readAhead = 256

// resume reads the stored chain and checks it: links, headers, bodies, and what the ledger says; from the newest snapshot that is of use, or all
// of it from the start. It keeps the last K blocks and writes nothing.
func (c *Chain[S]) resume(ctx context.Context) (*Selection[S], error) {
	ends, found, err := c.disk.record()
	if err != nil {
		return nil, err
	}
	start := newSelection(c.cfg.Genesis, c.cfg.Initial)
	if !found {
		return start, c.disk.empty()
	}
	if sel, err := c.resumeNear(ctx, ends); sel != nil || err != nil {
		return sel, err
	}
	return c.replayAll(ctx, start, ends)
}

// replayAll adds all stored blocks after sel.
func (c *Chain[S]) replayAll(ctx context.Context, sel *Selection[S], ends record) (*Selection[S], error) {
	for sel.Tip().BlockNo < ends.tip.BlockNo {
		from := sel.Tip().BlockNo + 1
		headers, err := c.disk.headers(from, min(from+readAhead-1, ends.tip.BlockNo))
		if err != nil {
			return nil, err
		}
		for _, h := range headers {
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("chainsel: resuming: %w", context.Cause(ctx))
			}
			if sel, err = c.replay(sel, h, ends.anchor); err != nil {
				return nil, err
			}
		}
	}
	if tip := sel.Tip(); tip != ends.tip {
		return nil, c.disk.corrupt("record", fmt.Errorf("the chain ends in %v instead of %v", tip, ends.tip))
	}
	return sel, c.disk.endsAfter(ends.tip.BlockNo)
}

// replay adds a stored block to sel. Blocks up to number anchor are not kept.
func (c *Chain[S]) replay(sel *Selection[S], h *chain.Header, anchor chain.BlockNo) (*Selection[S], error) {
	where := fmt.Sprintf("block %d", h.BlockNo())
	b, err := c.disk.block(h)
	if err != nil {
		return nil, err
	}
	if c.cfg.CheckHeader != nil {
		if err := c.cfg.CheckHeader(h); err != nil {
			return nil, c.disk.corrupt(where, err)
		}
	}
	if tip := sel.Tip(); h.Prev() != tip.Point.Hash {
		return nil, c.disk.corrupt(where, fmt.Errorf("%w: predecessor %v after %v", chain.ErrNotNext, h.Prev(), tip))
	}
	if err := follows(sel.Tip(), h); err != nil {
		return nil, c.disk.corrupt(where, err)
	}
	state, err := c.cfg.Ledger.Apply(sel.State, b)
	if err != nil {
		return nil, c.disk.corrupt(where, err)
	}
	keep := c.cfg.K
	if h.BlockNo() <= anchor {
		keep = 0
	} else if past := h.BlockNo() - anchor; past < chain.BlockNo(keep) {
		keep = int(past)
	}
	out, _, err := sel.grown(sel.Fragment.Len()-1, []*chain.Header{h}, []S{state}, keep)
	return out, err
}

// empty fails if there is something below the prefix.
func (d disk) empty() error {
	if ms, _, err := d.manifests(); err != nil || len(ms) > 0 {
		return orAbsent(err, d.corrupt("record", errLonely))
	}
	return d.endsAfter(0)
}

// endsAfter fails if there are headers or bodies beyond a number.
func (d disk) endsAfter(n chain.BlockNo) error {
	for _, kind := range []byte{'h', 'b'} {
		for e, err := range d.store.Scan(d.key(kind, n+1), append([]byte(d.prefix), kind+1)) {
			if err != nil {
				return fmt.Errorf("chainsel: reading: %w", err)
			}
			return d.corrupt(fmt.Sprintf("key %q", e.Key), errors.New("beyond the end of the chain"))
		}
	}
	return nil
}
