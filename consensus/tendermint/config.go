package tendermint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/consensus"
	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/trace"
)

// ErrConfig says that a configuration cannot work; it is wrapped with the field.
var ErrConfig = errors.New("tendermint: configuration")

// Config is what a [Replica] is made with.
type Config struct {
	Cluster    chain.Hash         // names the network; what Sign and Verify do must depend on it
	Validators []consensus.Member // from height 1 on; IDs are what Verify knows authors by
	Self       consensus.ID
	Sign       func(content []byte) []byte // a signature of 64 bytes; nil: the replica follows and does not vote
	Verify     consensus.Verifier
	App        consensus.App
	Store      store.Store // under keys that begin with "tendermint"

	// Work says that there is something to propose; nil: always. Without work a height begins when another begins it, or after Empty;
	// with a negative Empty never.
	Work  func(tx *stm.Tx) bool
	Empty time.Duration

	// How long to wait in a round for a proposal, for prevotes and for precommits. Default 1 s and half a second more each round.
	Propose, Prevote, Precommit consensus.Pacemaker

	Limits        Limits
	SnapshotEvery int // heights; default 1000. What is older is replayed from the last snapshot on
	Keep          int // decisions kept for others, at least SnapshotEvery; default 10,000

	Blame func(ctx context.Context, from string, violation error) // nil: nobody is told
	Trace trace.Tracer[rule.Fired]
}

func (c *Config) validate() error {
	bad := func(field string) error { return fmt.Errorf("%w: %s is missing", ErrConfig, field) }
	switch {
	case c.Verify == nil:
		return bad("Verify")
	case c.App == nil:
		return bad("App")
	case c.Store == nil:
		return bad("Store")
	}
	for _, p := range []*consensus.Pacemaker{&c.Propose, &c.Prevote, &c.Precommit} {
		if *p == (consensus.Pacemaker{}) {
			*p = consensus.Pacemaker{First: time.Second, Step: time.Second / 2}
		}
	}
	c.Limits = c.Limits.orDefault()
	if c.SnapshotEvery <= 0 {
		c.SnapshotEvery = 1000
	}
	c.Keep = max(c.Keep, c.SnapshotEvery)
	if c.Blame == nil {
		c.Blame = func(context.Context, string, error) {}
	}
	return nil
}
