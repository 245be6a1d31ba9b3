package chainsync

import (
	"context"
	"fmt"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
)

// ClientConfig is what Follow needs of the node. The fields without a default are needed.
type ClientConfig struct {
	Candidates *Candidates                                      // where the candidate goes
	Selection  func(tx *stm.Tx) chain.Fragment                  // our chain: its newest K headers, or all if it is shorter
	Check      func(ctx context.Context, h *chain.Header) error // judges a header by itself; a *Later is waited for
	K          int                                              // the security parameter, in blocks
	Ahead      int                                              // how far a candidate may be ahead of the selection, in blocks; default K+64
	RetryEvery time.Duration                                    // between searches for an intersection, default 2 s
}

const (
	aheadDefault = 64
	retryDefault = 2 * time.Second
)

// Later is an error of Check for a header that is good but early: Follow waits until At and checks again. Anything further ahead than
// the node tolerates must be another error.
type Later struct {
	At  time.Time
	Err error // the detail; may be nil
}

// Error says until when.
func (e *Later) Error() string {
	return fmt.Sprintf("chainsync: a header for later, %v: %v", e.At, e.Err)
}

// Unwrap gives the detail.
func (e *Later) Unwrap() error { return e.Err }

func (c *ClientConfig) complete() error {
	if c.Ahead == 0 {
		c.Ahead = c.K + aheadDefault
	}
	if c.RetryEvery == 0 {
		c.RetryEvery = retryDefault
	}
	for _, f := range []struct {
		name string
		bad  bool
	}{
		{"Candidates", c.Candidates == nil}, {"Selection", c.Selection == nil}, {"Check", c.Check == nil},
		{"K", c.K < 1}, {"Ahead", c.Ahead < 1}, {"RetryEvery", c.RetryEvery < 0},
	} {
		if f.bad {
			return fmt.Errorf("chainsync: ClientConfig.%s is missing or out of range", f.name)
		}
	}
	return nil
}
