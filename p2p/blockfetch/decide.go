package blockfetch

import (
	"context"
	"slices"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
)

// claim is a request under way. Immutable.
type claim struct {
	run    []*chain.Header // consecutive
	hashes map[chain.Hash]struct{}
	until  time.Time // then others may bring them too
}

// plan is what a session has decided: to ask for claim, or that its peer is at fault.
type plan struct {
	claim   *claim
	tip     chain.Tip // of the candidate
	invalid error
}

// decide finds and claims what to ask of this session's peer; it retries while there is nothing.
func (f *fetch) decide(tx *stm.Tx) plan {
	cfg := &f.client.cfg
	theirs, ok := cfg.Candidate(tx, f.peer)
	tx.Check(ok)
	ours := cfg.Selection(tx)
	tip := theirs.Tip()
	tx.Check(cfg.Better(tip, ours.Tip()))
	tx.Check(tip != f.without || env.Reached(tx, f.until))
	from, ok := theirs.Intersect(ours)
	tx.Check(ok)
	run, invalid := f.missing(tx, theirs, from)
	if invalid != nil {
		return plan{tip: tip, invalid: invalid}
	}
	tx.Check(len(run) > 0)
	mine := &claim{run: run, hashes: make(map[chain.Hash]struct{}, len(run)), until: env.Time(tx).Add(cfg.ClaimFor)}
	for _, h := range run {
		mine.hashes[h.Hash()] = struct{}{}
	}
	claims := f.client.claims.Get(tx)
	f.client.claims.Set(tx, append(claims[:len(claims):len(claims)], mine))
	return plan{claim: mine, tip: tip}
}

// missing is the oldest run of bodies that we neither have nor await from another, after the point where the candidate leaves our
// selection.
func (f *fetch) missing(tx *stm.Tx, theirs chain.Fragment, from chain.Point) (run []*chain.Header, invalid error) {
	cfg := &f.client.cfg
	claims := f.client.live(tx)
	bytes := 0
	for h := range theirs.From(from) {
		hash := h.Hash()
		if err := cfg.Invalid(tx, hash); err != nil {
			return nil, err
		}
		if cfg.Has(tx, hash) || claimed(claims, hash) {
			if len(run) > 0 {
				break
			}
			continue
		}
		bytes += int(h.Fields().BodySize)
		if len(run) > 0 && (bytes > cfg.BytesMax || len(run) == cfg.RangeMax) {
			break
		}
		run = append(run, h)
	}
	return run, nil
}

// live are the claims that still keep others away.
func (c *Client) live(tx *stm.Tx) []*claim {
	var live []*claim
	for _, x := range c.claims.Get(tx) {
		if !env.Reached(tx, x.until) {
			live = append(live, x)
		}
	}
	return live
}

func claimed(claims []*claim, hash chain.Hash) bool {
	return slices.ContainsFunc(claims, func(c *claim) bool {
		_, ok := c.hashes[hash]
		return ok
	})
}

// release ends a claim, whatever became of the request.
func (c *Client) release(ctx context.Context, mine *claim) {
	_ = stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error { // cannot fail: it never waits
		c.claims.Set(tx, slices.DeleteFunc(slices.Clone(c.claims.Get(tx)), func(x *claim) bool { return x == mine }))
		return nil
	})
}
