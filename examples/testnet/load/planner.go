package load

import (
	"math/rand/v2"
	"time"

	"github.com/synodkit/synod/chain"
)

// planner decides which account sends next, what, and to which node. It is a pure state machine: no clock, no socket, no lock.
type planner struct {
	accounts []account
	nodes    []pause // of nodes that could not be reached or had no room
	cursor   int     // the account to look at first
	rand     *rand.Rand
}

// job is one attempt to hand in a transfer.
type job struct {
	from, to int // accounts
	nonce    uint64
	node     int
	draft    *draft // nil: to be signed
}

func newPlanner(nonces []uint64, nodes int, r *rand.Rand) *planner {
	p := &planner{accounts: make([]account, len(nonces)), nodes: make([]pause, nodes), rand: r}
	for i, n := range nonces {
		p.accounts[i] = account{nonce: n, home: anywhere}
	}
	return p
}

// next hands out a job, or false while no account can send. Up says which nodes run.
func (p *planner) next(now time.Time, up []bool) (job, bool) {
	for range p.accounts {
		i := p.cursor
		p.cursor = (p.cursor + 1) % len(p.accounts)
		a := &p.accounts[i]
		if a.busy || !a.pause.over(now) {
			continue
		}
		node := a.home
		if node == anywhere {
			node = p.pick(now, up)
		}
		if node == anywhere || !p.open(node, now, up) {
			continue
		}
		a.busy = true
		return job{from: i, to: p.recipient(i), nonce: a.nonce, node: node, draft: a.draft}, true
	}
	return job{}, false
}

func (p *planner) open(node int, now time.Time, up []bool) bool {
	return node < len(up) && up[node] && p.nodes[node].over(now)
}

// pick is a random node that can be asked, or anywhere if there is none.
func (p *planner) pick(now time.Time, up []bool) int {
	first := p.rand.IntN(len(p.nodes))
	for i := range p.nodes {
		if node := (first + i) % len(p.nodes); p.open(node, now, up) {
			return node
		}
	}
	return anywhere
}

// recipient is another account, if there is one.
func (p *planner) recipient(from int) int {
	if len(p.accounts) == 1 {
		return from
	}
	return (from + 1 + p.rand.IntN(len(p.accounts)-1)) % len(p.accounts)
}

// done takes the answer to a job into account. Onchain says that the transfer has been seen there already.
func (p *planner) done(j job, a answer, onChain bool, now time.Time) {
	acc := &p.accounts[j.from]
	acc.busy = false
	acc.draft = a.draft
	switch a.verdict {
	case accepted:
		p.nodes[j.node] = pause{}
		acc.accepted(j.node)
		if onChain {
			acc.gone(1)
		}
	case refused:
		if a.next > j.nonce { // its nonce is used: by this very transfer, if an answer was lost
			acc.skip(a.next)
			return
		}
		acc.pause.begin(now) // the node lags behind what is on the chain, or the account is out of funds
	case noRoom, unreachable:
		p.nodes[j.node].begin(now)
		acc.pause.begin(now)
	}
}

// included takes transfers of an account that are on the chain out of those in flight; a negative n returns them.
func (p *planner) included(account, n int) { p.accounts[account].gone(n) }

// verdict is what is known of a transfer after an attempt.
type verdict int

const (
	accepted    verdict = iota // durable on the node
	refused                    // not accepted, and the node has said why
	noRoom                     // not accepted: later, or elsewhere
	unreachable                // no answer: it may have been accepted
)

// answer is the outcome of a job.
type answer struct {
	verdict verdict
	draft   *draft // what was sent
	id      chain.Hash
	next    uint64 // refused: the next nonce that the node would take
	err     error
}
