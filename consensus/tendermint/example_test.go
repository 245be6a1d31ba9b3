package tendermint_test

import (
	"context"
	"fmt"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/consensus"
	"github.com/synodkit/synod/consensus/rule/explore"
	"github.com/synodkit/synod/consensus/tendermint"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// counter is an application whose payloads are numbers.
type counter struct{ applied []string }

func (c *counter) Prepare(_ context.Context, height uint64, _ int) ([]byte, error) {
	return fmt.Appendf(nil, "payload %d", height), nil
}

func (c *counter) Validate(context.Context, uint64, []byte) error { return nil }

func (c *counter) Apply(_ context.Context, d consensus.Decided) (consensus.Outcome, error) {
	c.applied = append(c.applied, string(d.Payload))
	return consensus.Outcome{State: d.Payload}, nil
}

func (c *counter) Snapshot(context.Context) (consensus.Snapshot, error) {
	return consensus.Snapshot{}, nil
}

func (c *counter) Restore(context.Context, consensus.Snapshot) error { return nil }

// Four validators in one process. What one has to tell, the others are told by a loop over Since; between machines a session does that.
func ExampleReplica() {
	domain := sign.Domain{Kind: "example", Version: 1, Genesis: chain.HashOf([]byte("example"))}
	var replicas []*tendermint.Replica
	var keys []sign.PrivateKey
	var members []consensus.Member
	for i := range 4 {
		keys = append(keys, sign.KeyFromSeed([32]byte{byte(i)}))
		pub := keys[i].Public()
		members = append(members, consensus.Member{ID: consensus.ID(pub[:]), Weight: 1})
	}
	app := new(counter)
	for i, m := range members {
		c := tendermint.Config{
			Cluster: domain.Genesis, Validators: members, Self: m.ID, App: new(counter), Store: store.NewMemory(),
			Sign:   func(content []byte) []byte { return domain.Sign(keys[i], content) },
			Verify: func(claims []consensus.Claim) []int { return verify(domain, claims) },
		}
		if i == 0 {
			c.App = app
		}
		r, err := tendermint.New(c)
		if err != nil {
			fmt.Println(err)
			return
		}
		replicas = append(replicas, r)
	}
	ctx, done := context.WithTimeout(context.Background(), time.Minute)
	defer done()
	_ = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for i, from := range replicas {
			s.Go("replica", from.Run)
			for k, to := range replicas {
				if k != i {
					s.Go("link", func(ctx context.Context) error { return connect(ctx, from, to) })
				}
			}
		}
		if err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(replicas[0].Height(tx) >= 3); return nil }); err != nil {
			return err
		}
		done()
		return nil
	})
	fmt.Println(app.applied[:3])
	// Output: [payload 1 payload 2 payload 3]
}

// news is what one replica has for another: messages of the height that it is at, or the next decision for one that is behind.
type news struct {
	raw    [][]byte
	cursor uint64
	behind tendermint.Height
}

// connect tells one replica what another has to say.
func connect(ctx context.Context, from, to *tendermint.Replica) error {
	var last news
	for {
		n, err := stm.Atomically(ctx, func(tx *stm.Tx) (n news, err error) {
			if h := to.Height(tx) + 1; h <= from.Height(tx) && h > last.behind {
				return news{nil, last.cursor, h}, nil
			}
			n.behind = last.behind
			if n.raw, n.cursor = from.Since(tx, last.cursor); len(n.raw) == 0 {
				return n, stm.ErrRetry
			}
			return n, nil
		})
		if err != nil {
			return err
		}
		if d, ok := from.Decision(ctx, n.behind); ok && n.behind > last.behind {
			n.raw = [][]byte{d.Bytes()}
		}
		for _, b := range n.raw {
			if err := stm.Do(ctx, func(tx *stm.Tx) error { return to.Receive(tx, "peer", b) }); err != nil {
				return err
			}
		}
		last = n
	}
}

// Every state of one round is explored from the table that runs in production.
func ExampleWorld() {
	r := explore.Run(tendermint.World(tendermint.Bounds{Rounds: 1, Values: 2, Proposes: 0}))
	fmt.Println(r.States, "states,", r.Goals, "in which all have decided:", r.Err)
	// Output: 2212 states, 146 in which all have decided: <nil>
}
