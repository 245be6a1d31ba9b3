package tendermint

import (
	"context"

	"github.com/synodkit/synod/stm"
)

// feed is what a replica has to tell others about the height it is at: a list that only grows, by numbers that go on over heights.
type feed struct {
	first uint64
	raw   [][]byte // appended to by one task alone, so that lists seen before stay what they are
}

// feedMax bounds a feed; beyond it the oldest half is forgotten.
const feedMax = 1 << 16

func (f feed) add(raw ...[]byte) feed {
	f.raw = append(f.raw, raw...)
	if len(f.raw) > feedMax {
		n := len(f.raw) / 2
		f.first += uint64(n)
		f.raw = append([][]byte(nil), f.raw[n:]...)
	}
	return f
}

// cut forgets everything: another height has begun.
func (f feed) cut() feed { return feed{first: f.first + uint64(len(f.raw))} }

// Since is what there is to send to a peer that has been sent everything before cursor, which is 0 for a new connection, and the
// cursor after it. The messages are those of the replica itself and of others, for the height that it is at. It does not
// wait: Check(len(raw) > 0) does.
func (r *Replica) Since(tx *stm.Tx, cursor uint64) (raw [][]byte, next uint64) {
	f := r.feed.Get(tx)
	next = f.first + uint64(len(f.raw))
	cursor = min(max(cursor, f.first), next)
	return f.raw[cursor-f.first : len(f.raw) : len(f.raw)], next
}

// decisions are the end of the chain: what is decided and applied, with the last few, which the store may not show yet.
type decisions struct {
	height Height
	recent []Decision // up to height, oldest first
}

// recentMax is more heights than a store is behind: the rules wait for it several times a height.
const recentMax = 8

func (d decisions) add(x Decision) decisions {
	from := max(0, len(d.recent)-recentMax+1)
	return decisions{x.Height, append(append([]Decision(nil), d.recent[from:]...), x)}
}

// Height is the last height that is decided and applied.
func (r *Replica) Height(tx *stm.Tx) Height { return r.applied.Get(tx).height }

// Decision is a decision of the past, for a peer that is behind; false if it is not there, or no longer.
func (r *Replica) Decision(ctx context.Context, h Height) (Decision, bool) {
	for _, d := range r.applied.Load(ctx).recent {
		if d.Height == h {
			return d, true
		}
	}
	b, err := r.config.Store.Get(decisionKey(h))
	if err != nil {
		return Decision{}, false
	}
	d, err := DecodeDecision(b)
	return d, err == nil
}
