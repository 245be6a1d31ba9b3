package load

import (
	"time"

	"github.com/synodkit/synod/chain"
)

// anywhere is the home of an account that has nothing in flight.
const anywhere = -1

// account is the sender's side of an account. Its transfers have consecutive nonces, so they must reach a node in order: while one is in flight the next
// goes to the same node, which is known to have it. The nonce never goes back: two different transfers with one nonce would exclude each other, and the one
// that loses may have been accepted.
type account struct {
	nonce    uint64 // of the next transfer to sign
	home     int    // the node that has those in flight, or anywhere
	inFlight int    // accepted, and not seen on the chain yet
	draft    *draft // signed, and not answered for certain: the same bytes are sent again until they are
	busy     bool   // a sender has it
	pause    pause
}

// draft is a transfer that no node has accepted yet.
type draft struct {
	id  chain.Hash
	raw []byte
}

// accepted counts the draft as in flight on a node.
func (a *account) accepted(node int) {
	a.nonce++
	a.draft = nil
	a.inFlight++
	a.home = node
	a.pause = pause{}
}

// gone takes transfers that are on the chain out of those in flight.
func (a *account) gone(n int) {
	a.inFlight -= n
	if a.inFlight == 0 {
		a.home = anywhere
	}
}

// skip moves on to a greater nonce, because something else has used those below it.
func (a *account) skip(next uint64) {
	a.nonce = next
	a.draft = nil
	a.pause = pause{}
}

const (
	pauseMin = 50 * time.Millisecond
	pauseMax = time.Second
)

// pause is how long to leave something alone that has failed: twice as long each time, up to a bound. The zero pause is over.
type pause struct {
	until time.Time
	last  time.Duration
}

func (p *pause) over(now time.Time) bool { return !now.Before(p.until) }

func (p *pause) begin(now time.Time) {
	p.last = min(max(2*p.last, pauseMin), pauseMax)
	p.until = now.Add(p.last)
}
