package rule_test

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/consensus/rule/explore"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// Three nodes elect a leader, once: who has lost patience asks for votes, each gives one, a majority wins.
type node struct {
	self     rule.Peer
	voted    *rule.Var[rule.Peer] // nobody: not yet
	votes    *rule.Var[uint8]     // one bit for each peer
	leads    *rule.Var[bool]
	patience *rule.Timer
	unit     time.Duration
}

const (
	nobody   = rule.All
	majority = 2
)

type ( // messages
	ask   struct{}
	grant struct{}
)

func newNode(s *rule.Space) *node { return nodeWith(s, rule.Durable(s, "voted", nobody)) }

func nodeWith(s *rule.Space, voted *rule.Var[rule.Peer]) *node {
	return &node{
		self:     s.Self(),
		voted:    voted,
		votes:    rule.Volatile(s, "votes", uint8(0)),
		leads:    rule.Output(s, "leads", false),
		patience: s.Timer("patience"),
		unit:     time.Minute,
	}
}

func vote(make func(*rule.Space) *node) rule.Table[*node] {
	type Tx = rule.Tx
	return rule.Table[*node]{Name: "vote", New: make, Rules: []rule.Rule[*node]{
		rule.Upon("wait", func(tx *Tx, n *node) bool {
			return tx.Given("not waiting", !n.patience.Armed(tx))
		}, func(tx *Tx, n *node) { n.patience.Arm(tx, time.Duration(n.self)*n.unit) }),

		rule.Upon("stand", func(tx *Tx, n *node) bool {
			return tx.Given("patience is over", n.patience.Expired(tx)) &&
				tx.Given("not voted", n.voted.Get(tx) == nobody)
		}, func(tx *Tx, n *node) {
			n.voted.Set(tx, n.self)
			n.votes.Set(tx, 1<<n.self)
			tx.Send(rule.All, ask{})
		}),

		rule.On("give", func(tx *Tx, n *node, _ ask) bool {
			return tx.Given("not voted", n.voted.Get(tx) == nobody)
		}, func(tx *Tx, n *node, _ ask) {
			n.voted.Set(tx, tx.From())
			tx.Send(tx.From(), grant{})
		}),

		rule.On("count", func(tx *Tx, n *node, _ grant) bool {
			return tx.Given("a new vote", n.votes.Get(tx)>>tx.From()&1 == 0)
		}, func(tx *Tx, n *node, _ grant) { n.votes.Set(tx, n.votes.Get(tx)|1<<tx.From()) }),

		rule.Upon("win", func(tx *Tx, n *node) bool {
			return tx.Given("a majority", bits.OnesCount8(n.votes.Get(tx)) >= majority) &&
				tx.Given("not leading", !n.leads.Get(tx))
		}, func(tx *Tx, n *node) {
			n.leads.Set(tx, true)
			tx.Send(rule.Host, "I lead")
		}),
	}}
}

func voteWorld(make func(*rule.Space) *node) rule.World[*node] {
	return rule.World[*node]{
		Table: vote(make), Peers: []rule.Peer{0, 1, 2}, Crashes: 1,
		Invariant: func(tx *rule.Tx, ns []*node) error {
			leaders := 0
			for _, n := range ns {
				if n.leads.Get(tx) {
					leaders++
				}
			}
			if leaders > 1 {
				return errors.New("two leaders")
			}
			return nil
		},
		Goal: func(tx *rule.Tx, ns []*node) bool {
			return ns[0].leads.Get(tx) || ns[1].leads.Get(tx) || ns[2].leads.Get(tx)
		},
	}
}

// A protocol is a table of rules. Exploring looks at all its states; a vote that a crash forgets is found out.
func Example_explore() {
	r := explore.Run(voteWorld(newNode))
	fmt.Println(r.States, "states,", r.Goals, "with a leader:", r.Err)

	r = explore.Run(voteWorld(func(s *rule.Space) *node {
		return nodeWith(s, rule.Volatile(s, "voted", nobody)) // the mistake
	}))
	fmt.Println(r.Err)
	// Output:
	// 199 states, 51 with a leader: <nil>
	// two leaders
	//     p0 stand
	//     p1 stand
	//     p2 give from p0: rule_test.ask{}
	//     p2 CRASH
	//     p2 give from p1: rule_test.ask{}
	//     p0 count from p2: rule_test.grant{}
	//     p0 win
	//     p1 count from p2: rule_test.grant{}
	//     p1 win
	//   then
	//     p0: voted=p0 votes=5 leads=true
	//     p1: voted=p1 votes=6 leads=true
	//     p2: voted=p1 votes=0 leads=false
}

// The same table runs: here three nodes in one process, over a store each.
func Example_run() {
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		var nodes [3]*rule.Module[*node]
		deliver := func(ctx context.Context, ms []rule.Message) error {
			return stm.Do(ctx, func(tx *stm.Tx) error {
				for _, m := range ms {
					for to, n := range nodes {
						if m.To == rule.Peer(to) || m.To == rule.All && m.From != rule.Peer(to) {
							n.Offer(tx, m.From, m.Body) // lost if there is no room, as in any network
						}
					}
				}
				return nil
			})
		}
		for i := range nodes {
			var err error
			nodes[i], err = rule.Open(ctx, vote(newNode), rule.Wiring{
				Self: rule.Peer(i), Cluster: []byte("example"), Store: store.NewMemory(), Out: deliver,
			})
			if err != nil {
				return err
			}
		}
		for _, n := range nodes {
			err := s.Daemon(ctx, "node", func(ctx context.Context, ready func()) error { ready(); return n.Run(ctx) })
			if err != nil {
				return err
			}
		}
		return stm.Do(ctx, func(tx *stm.Tx) error { // an Output is a Var like any other
			for _, n := range nodes {
				if n.State.leads.Seen(tx) {
					return nil
				}
			}
			return stm.ErrRetry
		})
	})
	fmt.Println("a leader,", err)
	// Output: a leader, <nil>
}
