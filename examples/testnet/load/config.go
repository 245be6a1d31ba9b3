package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/stm"
)

// RateMax is the greatest rate that can be asked for.
const RateMax = 10_000

// Config describes a load. No field has a default.
type Config struct {
	Rate     int // transfers a second
	Accounts []coin.Address
	Make     func(from, to int, nonce uint64) (raw []byte, _ error) // signs a transfer between two accounts
	Nodes    func(tx *stm.Tx) []string                              // each node's base URL, empty while it does not run; always as many

	Slot func(time.Time) chain.Slot

	// The chain to look for transfers on.
	Tip   func(tx *stm.Tx) chain.Hash
	Chain func(ctx context.Context, from uint64, limit int) ([]api.Block, error)
	K     int // no rollback is deeper, in blocks
}

func (c Config) validate() error {
	switch {
	case c.Rate < 1 || c.Rate > RateMax:
		return fmt.Errorf("load: Config.Rate is %d, want 1 to %d", c.Rate, RateMax)
	case len(c.Accounts) == 0:
		return errors.New("load: Config.Accounts is empty")
	case c.K < 1:
		return fmt.Errorf("load: Config.K is %d, want 1 or more", c.K)
	case c.Make == nil || c.Nodes == nil || c.Slot == nil || c.Tip == nil || c.Chain == nil:
		return errors.New("load: Config lacks a function")
	}
	return nil
}

// Totals are the counts at one moment.
type Totals struct {
	Accepted int // promised by a node: 202
	OnChain  int // of those, on the chain that is looked at
	Refused  int // answers that said why not
	Skipped  int // due, but nobody could send them in time
}

// Report is a whole load, in figures.
type Report struct {
	Totals
	PerSecond      float64 // accepted ones, while it ran
	SlotsP50       int     // from accepted to included
	SlotsP99       int
	FirstRefusal   string // one of the reasons
	FirstUnreached string // and one of the failures to reach a node
}

// Transfer is an accepted one that is not on the chain up to some block.
type Transfer struct {
	ID    chain.Hash
	Node  int    // that accepted it
	Slot  uint64 // in which it did
	Block uint64 // that includes it all the same, on the chain looked at; 0: none
}
