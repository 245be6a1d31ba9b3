package mempool

import (
	"context"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/stm/persist"
)

// share is what somebody holds of a pool.
type share struct{ count, bytes int }

func (s share) plus(bytes int) share { return share{s.count + 1, s.bytes + bytes} }

// laneShare is how often a lane may hold what is still free of the part that all lanes have.
const laneShare = 2

// admits reports whether a lane that holds mine, of all that lanes hold, may add a transaction. One lane alone gets two thirds of the part, so a third
// is there for who comes next; and so on. A lane that holds more than its share then adds nothing until blocks have taken what is over, and
// what blocks take is for the others: of n lanes that always want more each comes to hold 2/(2n+1). Nobody has to give way for that: what was
// admitted stays. (Choudhury, Hahne, Dynamic queue length thresholds for shared-memory packet switches, 1998.)
func (l *Limits) admits(all, mine share, bytes int) bool {
	free := share{l.RemoteMax - all.count, l.RemoteBytesMax - all.bytes}
	return free.count > 0 && bytes <= free.bytes && mine.count < laneShare*free.count && mine.bytes+bytes <= laneShare*free.bytes
}

// lanes are the shares of those that have any, and their sum. Immutable.
type lanes struct {
	by  persist.Trie[string, share]
	all share
}

func (ls lanes) of(name string) share {
	s, _ := ls.by.Get(name)
	return s
}

// with counts a transaction, unless it came by no lane.
func (ls lanes) with(name string, bytes int) lanes {
	if name == "" {
		return ls
	}
	return lanes{ls.by.Set(name, ls.of(name).plus(bytes)), ls.all.plus(bytes)}
}

// lanesOf are the shares of many transactions, which a pass has added up.
func lanesOf(shares map[string]share) lanes {
	var ls lanes
	e := ls.by.Edit()
	for name, s := range shares {
		e.Set(name, s)
		ls.all.count, ls.all.bytes = ls.all.count+s.count, ls.all.bytes+s.bytes
	}
	ls.by = e.Trie()
	return ls
}

// Lane is one remote peer's way into a pool, with a share of its own: however much the peers of other lanes send, this one finds room, and however much
// its peer sends, other lanes and local clients do. It is what package txsubmission calls a sink. A plain value, of no cost while nothing is pending.
type Lane[S, X any] struct {
	pool *Pool[S, X]
	name string
}

// Lane is the lane of a name, which should be that of an authenticated peer; the empty name is that of nobody, whom the pool's own limits alone bound.
func (p *Pool[S, X]) Lane(name string) Lane[S, X] { return Lane[S, X]{p, name} }

// Has is Pool.Has.
func (l Lane[S, X]) Has(tx *stm.Tx, id chain.Hash) bool { return l.pool.Has(tx, id) }

// Room reports whether one transaction more of this lane has room, of that size.
func (l Lane[S, X]) Room(tx *stm.Tx, bytes int) bool {
	return l.pool.room(l.pool.content.Get(tx), l.name, bytes)
}

// Offer takes a transaction of the lane's peer. Without an error it is in the pool.
//
// Errors, after which nothing has changed: ErrKnown if it is here or on the chain already; a *MalformedError, which blames the peer; a
// *RefusedError, which does not; ErrFull; ErrClosed; that of ctx.
func (l Lane[S, X]) Offer(ctx context.Context, raw []byte) error {
	a := admission[S, X]{p: l.pool, id: chain.HashOf(raw), size: len(raw), lane: l.name}
	_, err := a.run(ctx, raw)
	return err
}

// full says why there is no room: what is pending, and of that what the lane holds.
func full[S, X any](c *content[S, X], lane string) error {
	err := fmt.Errorf("%w: %d transactions, %d bytes", ErrFull, c.order.Len(), c.bytes)
	if lane != "" {
		s := c.lanes.of(lane)
		err = fmt.Errorf("%w; %d and %d of this lane, of %d and %d of all", err, s.count, s.bytes, c.lanes.all.count, c.lanes.all.bytes)
	}
	return err
}

// Held is how many transactions of the lane are pending, and their bytes.
func (l Lane[S, X]) Held(tx *stm.Tx) (count, bytes int) {
	s := l.pool.content.Get(tx).lanes.of(l.name)
	return s.count, s.bytes
}
