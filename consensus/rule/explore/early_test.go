package explore_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/consensus/rule/explore"
)

// copier replicates a log from process 0, which does not wait for its own disk before it asks the others to copy.
type copier struct {
	self   rule.Peer
	log    *rule.Log[int8]
	commit *rule.Var[uint8]
	peers  []copy1
}

type copy1 struct{ next, match, told *rule.Var[uint8] }

type (
	client struct{ X int8 }
	copyTo struct {
		Prev, Commit uint8
		Entries      []int8
	}
	copied struct{ Last uint8 }
)

func newCopier(s *rule.Space) *copier {
	c := &copier{self: s.Self(), log: rule.NewLog[int8](s, "log"), commit: rule.Volatile(s, "commit", uint8(0))}
	for _, i := range []string{"0", "1", "2"} {
		c.peers = append(c.peers, copy1{rule.Volatile(s, "next"+i, uint8(1)), rule.Volatile(s, "match"+i, uint8(0)), rule.Volatile(s, "told"+i, uint8(0))})
	}
	return c
}

func (c *copier) last(tx *rule.Tx) uint8 { return uint8(c.log.Last(tx)) }

// copying is the table for so many entries; own says up to where the leader counts its own copy.
func copying(own func(*rule.Tx, *copier) uint64, entries int8) rule.Table[*copier] {
	type Tx = rule.Tx
	agreed := func(tx *Tx, c *copier) uint8 {
		a := []uint8{uint8(own(tx, c)), c.peers[1].match.Get(tx), c.peers[2].match.Get(tx)}
		slices.Sort(a)
		return a[1]
	}
	return rule.Table[*copier]{Name: "copy", New: newCopier, Rules: []rule.Rule[*copier]{
		rule.On("client", func(tx *Tx, c *copier, m client) bool {
			return tx.Given("room", c.log.Last(tx) < uint64(entries)) && tx.Given("in order", m.X == int8(c.log.Last(tx)+1))
		}, func(tx *Tx, c *copier, m client) { c.log.Append(tx, m.X) }),

		rule.For("copy", func(*Tx, *copier) []int { return []int{1, 2} }, func(tx *Tx, c *copier, to int) bool {
			p := c.peers[to]
			return tx.Given("leader", c.self == 0) && tx.Given("news", p.next.Get(tx) <= c.last(tx) || p.told.Get(tx) < c.commit.Get(tx))
		}, func(tx *Tx, c *copier, to int) {
			p := c.peers[to]
			next := p.next.Get(tx)
			tx.Early(rule.Peer(to), copyTo{next - 1, c.commit.Get(tx), slices.Clone(c.log.From(tx, uint64(next), 9))})
			p.next.Set(tx, c.last(tx)+1)
			p.told.Set(tx, c.commit.Get(tx))
		}),

		rule.On("accept", func(tx *Tx, c *copier, m copyTo) bool { return tx.Given("no gap", m.Prev <= c.last(tx)) },
			func(tx *Tx, c *copier, m copyTo) {
				if have := int(c.last(tx) - m.Prev); have < len(m.Entries) {
					c.log.Append(tx, m.Entries[have:]...)
				}
				c.commit.Set(tx, max(c.commit.Get(tx), min(m.Commit, c.last(tx))))
				tx.Send(0, copied{c.last(tx)})
			}),

		rule.On("copied", func(tx *Tx, c *copier, m copied) bool {
			return tx.Given("newer", m.Last > c.peers[tx.From()].match.Get(tx))
		},
			func(tx *Tx, c *copier, m copied) {
				c.peers[tx.From()].match.Set(tx, m.Last)
				c.peers[tx.From()].next.Set(tx, max(m.Last+1, c.peers[tx.From()].next.Get(tx)))
			}),

		rule.Upon("commit", func(tx *Tx, c *copier) bool {
			return tx.Given("leader", c.self == 0) && tx.Given("agreed", agreed(tx, c) > c.commit.Get(tx))
		}, func(tx *Tx, c *copier) { c.commit.Set(tx, agreed(tx, c)) }),
	}}
}

var errLost = errors.New("a committed entry is on one disk alone")

func copyWorld(own func(*rule.Tx, *copier) uint64, unsynced bool, entries int8) rule.World[*copier] {
	return rule.World[*copier]{
		Table: copying(own, entries), Peers: []rule.Peer{0, 1, 2}, Crashes: 1, Unsynced: unsynced,
		Moves: []rule.Rule[[]*copier]{
			rule.For("propose", func(*rule.Tx, []*copier) []int8 { return []int8{1, 2}[:entries] }, func(tx *rule.Tx, cs []*copier, x int8) bool {
				return tx.Given("first", cs[0].log.Last(tx) == uint64(x-1))
			}, func(tx *rule.Tx, _ []*copier, x int8) { tx.Inject(rule.Host, 0, client{x}) }),
		},
		Invariant: func(tx *rule.Tx, cs []*copier) error {
			for _, c := range cs {
				have := 0
				for _, d := range cs {
					if d.log.Last(tx) >= uint64(c.commit.Get(tx)) {
						have++
					}
				}
				if have < 2 {
					return errLost
				}
			}
			return nil
		},
		Goal: func(tx *rule.Tx, cs []*copier) bool { return cs[1].commit.Get(tx) == uint8(entries) },
	}
}

func ownLast(tx *rule.Tx, c *copier) uint64   { return c.log.Last(tx) }
func ownSynced(tx *rule.Tx, c *copier) uint64 { return c.log.Synced(tx) }

// Early is explored with its loss. The planted bug: the leader counts its own copy before its disk has it.
func TestEarlyIsExploredWithItsLoss(t *testing.T) {
	r := explore.Run(copyWorld(ownSynced, true, 1))
	require.NoError(t, r.Err)
	require.Positive(t, r.Goals)
	t.Log(r.States, "states", r.Transitions, "transitions")

	require.ErrorIs(t, explore.Run(copyWorld(ownLast, true, 1)).Err, errLost)
	require.NoError(t, explore.Run(copyWorld(ownLast, false, 1)).Err, "without Unsynced the loss is not looked at")
}
