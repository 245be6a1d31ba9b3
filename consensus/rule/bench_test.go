package rule_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// The replication loop of Raft, with a fixed leader: what a turn and its messages cost.
type replica struct {
	self    rule.Peer
	log     *rule.Log[entry]
	commit  *rule.Var[uint64]
	applied *rule.Var[uint64]
	owed    *rule.Var[bool] // an acknowledgement, by a follower
	peers   []follower      // as the leader knows them
}

type follower struct{ next, match, told *rule.Var[uint64] }

type entry struct {
	Term uint64
	Data []byte
}

type (
	propose struct{ Data []byte }
	appendM struct {
		Prev, Commit uint64
		Entries      []entry
	}
	ackM struct{ Match uint64 }
)

func newReplica(s *rule.Space) *replica {
	r := &replica{
		self:    s.Self(),
		log:     rule.NewLog[entry](s, "log"),
		commit:  rule.Volatile(s, "commit", uint64(0)),
		applied: rule.Output(s, "applied", uint64(0)),
		owed:    rule.Volatile(s, "owed", false),
	}
	for i := range 3 {
		r.peers = append(r.peers, follower{
			rule.Volatile(s, fmt.Sprint("next", i), uint64(1)), rule.Volatile(s, fmt.Sprint("match", i), uint64(0)), rule.Volatile(s, fmt.Sprint("told", i), uint64(0)),
		})
	}
	return r
}

func (r *replica) agreed(tx *rule.Tx) uint64 {
	a := [3]uint64{r.peers[0].match.Get(tx), r.peers[1].match.Get(tx), r.peers[2].match.Get(tx)}
	a[0] = r.log.Last(tx)
	slices.Sort(a[:])
	return a[1]
}

func (r *replica) forgettable(tx *rule.Tx) uint64 {
	if r.self == 0 {
		return min(r.peers[1].match.Get(tx), r.peers[2].match.Get(tx))
	}
	return r.applied.Get(tx)
}

var followers = []rule.Peer{1, 2}

func replication() rule.Table[*replica] {
	type Tx = rule.Tx
	return rule.Table[*replica]{Name: "replication", New: newReplica, Rules: []rule.Rule[*replica]{
		rule.On("propose", func(tx *Tx, r *replica, _ propose) bool {
			return tx.Given("leader", r.self == 0)
		}, func(tx *Tx, r *replica, m propose) { r.log.Append(tx, entry{1, m.Data}) }),

		rule.On("accept", func(tx *Tx, r *replica, m *appendM) bool {
			return tx.Given("prev in the log", m.Prev <= r.log.Last(tx))
		}, func(tx *Tx, r *replica, m *appendM) {
			if have := r.log.Last(tx) - m.Prev; have < uint64(len(m.Entries)) {
				r.log.Append(tx, m.Entries[have:]...)
			}
			r.commit.Set(tx, max(r.commit.Get(tx), min(m.Commit, r.log.Last(tx))))
			r.owed.Set(tx, true)
		}),

		rule.On("acked", func(tx *Tx, r *replica, m ackM) bool {
			return tx.Given("newer", m.Match > r.peers[tx.From()].match.Get(tx))
		}, func(tx *Tx, r *replica, m ackM) { r.peers[tx.From()].match.Set(tx, m.Match) }),

		rule.Upon("commit", func(tx *Tx, r *replica) bool {
			return tx.Given("leader", r.self == 0) && tx.Given("agreed", r.agreed(tx) > r.commit.Get(tx))
		}, func(tx *Tx, r *replica) { r.commit.Set(tx, r.agreed(tx)) }),

		rule.Upon("apply", func(tx *Tx, r *replica) bool {
			return tx.Given("committed", r.commit.Get(tx) > r.applied.Get(tx))
		}, func(tx *Tx, r *replica) { r.applied.Set(tx, r.commit.Get(tx)) }),

		rule.Upon("acknowledge", func(tx *Tx, r *replica) bool {
			return tx.Given("owed", r.owed.Get(tx))
		}, func(tx *Tx, r *replica) {
			r.owed.Set(tx, false)
			tx.Send(0, ackM{r.log.Last(tx)})
		}),

		rule.For("append", func(*Tx, *replica) []rule.Peer { return followers }, func(tx *Tx, r *replica, to rule.Peer) bool {
			f := r.peers[to]
			return tx.Given("leader", r.self == 0) &&
				tx.Given("something to say", f.next.Get(tx) <= r.log.Last(tx) || f.told.Get(tx) < r.commit.Get(tx))
		}, func(tx *Tx, r *replica, to rule.Peer) {
			f := r.peers[to]
			m := &appendM{Prev: f.next.Get(tx) - 1, Commit: r.commit.Get(tx), Entries: r.log.From(tx, f.next.Get(tx), 4096)}
			tx.Send(to, m)
			f.next.Set(tx, m.Prev+uint64(len(m.Entries))+1)
			f.told.Set(tx, m.Commit)
		}),

		rule.Upon("compact", func(tx *Tx, r *replica) bool {
			return tx.Given("much to forget", r.forgettable(tx) > r.log.Base(tx)+8192)
		}, func(tx *Tx, r *replica) { r.log.Compact(tx, r.forgettable(tx)) }),
	}}
}

func BenchmarkReplicate(b *testing.B) {
	for _, disk := range []bool{false, true} {
		for _, out := range []int{1, 128, 1024} {
			b.Run(fmt.Sprintf("store=%v/outstanding=%d", disk, out), func(b *testing.B) { replicate(b, out, disk) })
		}
	}
}

func replicate(b *testing.B, out int, disk bool) {
	b.ReportAllocs()
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		var nodes [3]*rule.Module[*replica]
		deliver := func(ctx context.Context, ms []rule.Message) error {
			for i := range ms {
				if err := nodes[ms[i].To].Post(ctx, ms[i].From, ms[i].Body); err != nil {
					return err
				}
			}
			return nil
		}
		for i := range nodes {
			w := rule.Wiring{Self: rule.Peer(i), Out: deliver}
			if disk {
				w.Store = store.NewMemory()
			}
			var err error
			if nodes[i], err = rule.Open(ctx, replication(), w); err != nil {
				return err
			}
		}
		for _, n := range nodes {
			if err := s.Daemon(ctx, "node", func(ctx context.Context, ready func()) error { ready(); return n.Run(ctx) }); err != nil {
				return err
			}
		}
		b.ResetTimer()
		return load(ctx, b, out, nodes[0])
	})
	require.NoError(b, err)
}

// load keeps out proposals outstanding until b.N are applied.
func load(ctx context.Context, b *testing.B, out int, leader *rule.Module[*replica]) error {
	n, sent, done := b.N, 0, uint64(0)
	var bodies []any
	clock, waits := env.ClockOf(ctx), make([]time.Duration, 0, n)
	for int(done) < n {
		from := clock.Now()
		bodies = make([]any, 0, out)
		for ; sent < n && sent-int(done) < out; sent++ {
			bodies = append(bodies, propose{make([]byte, 128)})
		}
		if len(bodies) > 0 {
			if err := leader.Post(ctx, rule.Host, bodies...); err != nil {
				return err
			}
		}
		seen, err := stm.Query(ctx, func(tx *stm.Tx) uint64 {
			x := leader.State.applied.Seen(tx)
			tx.Check(x > done)
			return x
		})
		if err != nil {
			return err
		}
		done = seen
		waits = append(waits, clock.Now().Sub(from))
	}
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)/2]), "p50-round-ns")
	return nil
}

// What a guard costs that is false: in its first conjunct, and in its third.
func BenchmarkGuard(b *testing.B) {
	m := open(b, rule.Table[*cells]{Name: "guards", New: newCells(3), Rules: []rule.Rule[*cells]{
		rule.Upon("first", func(tx *rule.Tx, c *cells) bool {
			return tx.Given("one", c.v[0].Get(tx) == 1) && tx.Given("two", c.v[1].Get(tx) == 0)
		}, func(*rule.Tx, *cells) {}),
		rule.Upon("third", func(tx *rule.Tx, c *cells) bool {
			return tx.Given("one", c.v[0].Get(tx) == 0) && tx.Given("two", c.v[1].Get(tx) == 0) && tx.Given("three", c.v[2].Get(tx) == 1)
		}, func(*rule.Tx, *cells) {}),
	}}, rule.Wiring{})
	for _, name := range []string{"first", "third"} {
		guard := rule.Guard(m, name)
		b.Run("false="+name, func(b *testing.B) {
			for b.Loop() {
				guard()
			}
		})
	}
}
