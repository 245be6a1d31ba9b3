package load

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func newTestPlanner(accounts, nodes int) *planner {
	return newPlanner(make([]uint64, accounts), nodes, rand.New(rand.NewPCG(1, 2)))
}

func allUp(n int) []bool {
	up := make([]bool, n)
	for i := range up {
		up[i] = true
	}
	return up
}

// TestSticks: an account sends to the node that has its transfers in flight, and waits while that is down.
func TestSticks(t *testing.T) {
	p := newTestPlanner(1, 5)
	j, ok := p.next(start, allUp(5))
	require.True(t, ok)
	_, ok = p.next(start, allUp(5))
	require.False(t, ok, "one at a time")
	p.done(j, answer{verdict: accepted}, false, start)
	for nonce := range uint64(50) {
		next, ok := p.next(start, allUp(5))
		require.True(t, ok)
		require.Equal(t, j.node, next.node)
		require.Equal(t, nonce+1, next.nonce)
		p.done(next, answer{verdict: accepted}, false, start)
	}
	without := allUp(5)
	without[j.node] = false
	_, ok = p.next(start, without)
	require.False(t, ok, "what is in flight there may not have come to the others")

	p.included(0, 50)
	_, ok = p.next(start, without)
	require.False(t, ok, "one is still in flight")
	p.included(0, 1)
	next, ok := p.next(start, without)
	require.True(t, ok)
	require.NotEqual(t, j.node, next.node)
}

// TestSameBytes: what was not answered for certain is sent again as it was, wherever, until somebody answers.
func TestSameBytes(t *testing.T) {
	for _, v := range []verdict{noRoom, unreachable} {
		p := newTestPlanner(1, 3)
		j, _ := p.next(start, allUp(3))
		d := &draft{raw: []byte("signed")}
		p.done(j, answer{verdict: v, draft: d}, false, start)
		_, ok := p.next(start, allUp(3))
		require.False(t, ok, "a pause first")
		again, ok := p.next(start.Add(pauseMin), allUp(3))
		require.True(t, ok)
		require.Same(t, d, again.draft)
		require.Equal(t, j.nonce, again.nonce)
		p.done(again, answer{verdict: accepted, draft: d}, false, start)
		next, _ := p.next(start.Add(time.Minute), allUp(3))
		require.Nil(t, next.draft)
		require.Equal(t, j.nonce+1, next.nonce)
	}
}

// TestRefused: after a refusal the nonce follows the node's upwards, never downwards: a smaller one may be that of an accepted transfer.
func TestRefused(t *testing.T) {
	p := newPlanner([]uint64{7}, 1, rand.New(rand.NewPCG(1, 2)))
	d := &draft{}
	j, _ := p.next(start, allUp(1))
	p.done(j, answer{verdict: refused, draft: d, next: 3}, false, start)
	j, ok := p.next(start.Add(pauseMin), allUp(1))
	require.True(t, ok)
	require.EqualValues(t, 7, j.nonce)
	require.Same(t, d, j.draft, "the node lags: it gets the same again")
	p.done(j, answer{verdict: refused, draft: d, next: 9}, false, start)
	j, ok = p.next(start, allUp(1))
	require.True(t, ok)
	require.EqualValues(t, 9, j.nonce)
	require.Nil(t, j.draft)
}

// TestEarly: a transfer that is on the chain before its sender has the answer is not in flight.
func TestEarly(t *testing.T) {
	p := newTestPlanner(1, 5)
	j, _ := p.next(start, allUp(5))
	p.done(j, answer{verdict: accepted}, true, start)
	require.Equal(t, anywhere, p.accounts[0].home)
	require.Zero(t, p.accounts[0].inFlight)
}

// TestAvoids: a node that could not be reached, or had no room, is left alone for a while, longer each time, and the others take over.
func TestAvoids(t *testing.T) {
	p := newTestPlanner(200, 2)
	j, _ := p.next(start, allUp(2))
	p.done(j, answer{verdict: unreachable}, false, start)
	for range 100 {
		other, ok := p.next(start, allUp(2))
		require.True(t, ok)
		require.NotEqual(t, j.node, other.node)
	}
	var last time.Duration
	for range 10 {
		p.nodes[j.node].begin(start)
		require.GreaterOrEqual(t, p.nodes[j.node].last, last)
		last = p.nodes[j.node].last
	}
	require.Equal(t, pauseMax, last)
}

// TestSpreads: all accounts take turns, no one pays itself, and all nodes are asked.
func TestSpreads(t *testing.T) {
	p := newTestPlanner(10, 5)
	nodes, senders := map[int]bool{}, map[int]bool{}
	for range 10 {
		j, ok := p.next(start, allUp(5))
		require.True(t, ok)
		require.NotEqual(t, j.from, j.to)
		nodes[j.node], senders[j.from] = true, true
	}
	require.Len(t, senders, 10)
	require.Greater(t, len(nodes), 2)
	_, ok := newTestPlanner(3, 2).next(start, []bool{false, false})
	require.False(t, ok)
	require.Equal(t, 0, newTestPlanner(1, 1).recipient(0), "the only one there is")
}
