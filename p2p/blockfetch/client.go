package blockfetch

import (
	"context"
	"fmt"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
)

// Config is what a Client needs of the node. The fields without a default are needed.
type Config struct {
	Selection func(tx *stm.Tx) chain.Fragment                          // our chain: its newest K headers, or all
	Candidate func(tx *stm.Tx, peer p2p.PeerID) (chain.Fragment, bool) // a peer's chain, headers validated
	Better    func(a, b chain.Tip) bool                                // whether a chain ending in a is strictly better
	Has       func(tx *stm.Tx, hash chain.Hash) bool                   // a block that need not be fetched
	Invalid   func(tx *stm.Tx, hash chain.Hash) error                  // why a block is known to be invalid; nil if it is not
	Deliver   func(ctx context.Context, b chain.Block) error           // takes a block; when it returns, Has or Invalid knows it, or it is of no use

	RangeMax   int           // blocks a request, default 64
	BytesMax   int           // bytes of bodies a request, default 4 MiB; one block is always allowed
	ClaimFor   time.Duration // after this others may ask for what a peer still owes, default 10 s
	RetryEvery time.Duration // before asking a peer again for what it said not to have, default 1 s
}

const (
	rangeDefault = 64
	bytesDefault = 4 << 20
	claimDefault = 10 * time.Second
	retryDefault = time.Second
)

// Client is the fetching side of a node, shared by its sessions.
type Client struct {
	cfg    Config
	claims *gate.Leases[chain.Hash] // of requests under way, at most one a session; when its time is over others may bring the bodies too
}

// NewClient makes a client. The error names the first field that is missing or out of range.
func NewClient(cfg Config) (*Client, error) {
	for _, d := range []struct {
		v   *int
		def int
	}{{&cfg.RangeMax, rangeDefault}, {&cfg.BytesMax, bytesDefault}} {
		if *d.v == 0 {
			*d.v = d.def
		}
	}
	for _, d := range []struct {
		v   *time.Duration
		def time.Duration
	}{{&cfg.ClaimFor, claimDefault}, {&cfg.RetryEvery, retryDefault}} {
		if *d.v == 0 {
			*d.v = d.def
		}
	}
	for _, f := range []struct {
		name string
		bad  bool
	}{
		{"Selection", cfg.Selection == nil}, {"Candidate", cfg.Candidate == nil}, {"Better", cfg.Better == nil},
		{"Has", cfg.Has == nil}, {"Invalid", cfg.Invalid == nil}, {"Deliver", cfg.Deliver == nil},
		{"RangeMax", cfg.RangeMax < 1}, {"BytesMax", cfg.BytesMax < 1},
		{"ClaimFor", cfg.ClaimFor < 0}, {"RetryEvery", cfg.RetryEvery < 0},
	} {
		if f.bad {
			return nil, fmt.Errorf("blockfetch: Config.%s is missing or out of range", f.name)
		}
	}
	return &Client{cfg: cfg, claims: gate.NewLeases[chain.Hash]("blockfetch.claims")}, nil
}

// Fetch runs the initiator's side with one peer until ctx or the session ends; it never returns nil. When it returns, it claims nothing.
func (c *Client) Fetch(ctx context.Context, conn p2p.Conn) error {
	idle, s := NewInitiator(ctx, conn)
	defer func() { _ = s.Close(closeLimit) }() // its error has been returned
	f := &fetch{client: c, s: s, peer: conn.Peer}
	for {
		var err error
		if idle, err = f.round(ctx, idle); err != nil {
			return err
		}
	}
}

// fetch is one session.
type fetch struct {
	client *Client
	s      *p2p.Session
	peer   p2p.PeerID

	without chain.Tip // the candidate that the peer said not to have bodies of
	until   time.Time // when it may be asked for them again
}

// round decides, asks, and brings what was asked for.
func (f *fetch) round(ctx context.Context, idle InitiatorIdle) (InitiatorIdle, error) {
	p, err := p2p.Wait(ctx, f.s, f.decide)
	if err != nil {
		return idle, err
	}
	if p.invalid != nil {
		return idle, f.s.Invalid(fmt.Errorf("blockfetch: the candidate holds an invalid block: %w", p.invalid))
	}
	defer f.release(ctx, p.claim)
	run := p.run
	busy, err := idle.RequestRange(&MsgRequestRange{From: run[0].Point(), To: run[len(run)-1].Point()})
	if err != nil {
		return idle, err
	}
	m, err := busy.Recv()
	switch m := m.(type) {
	case *InitiatorBusyNoBlocks:
		f.without, f.until = p.tip, env.Now(ctx).Add(f.client.cfg.RetryEvery)
		return m.Next, nil
	case *InitiatorBusyStartBatch:
		return f.batch(ctx, m.Next, run)
	}
	return idle, err
}

// release ends a claim, whatever became of the request.
func (f *fetch) release(ctx context.Context, claim *gate.Lease[chain.Hash]) {
	_ = stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error { f.client.claims.Release(tx, claim); return nil }) // cannot fail: it never waits
}

// batch takes the bodies of run.
func (f *fetch) batch(ctx context.Context, streaming InitiatorStreaming, run []*chain.Header) (idle InitiatorIdle, err error) {
	for i := 0; ; i++ {
		m, err := streaming.Recv()
		if err != nil {
			return idle, err
		}
		switch m := m.(type) {
		case *InitiatorStreamingBatchDone:
			if i < len(run) {
				return idle, f.s.Invalid(fmt.Errorf("blockfetch: %d of the %d blocks asked for", i, len(run)))
			}
			return m.Next, nil
		case *InitiatorStreamingBlock:
			if i == len(run) {
				return idle, f.s.Invalid(fmt.Errorf("blockfetch: more than the %d blocks asked for", len(run)))
			}
			if err := f.deliver(ctx, run[i], m.Body); err != nil {
				return idle, err
			}
			streaming = m.Next
		}
	}
}

// deliver checks a body against its header before it is given to anybody.
func (f *fetch) deliver(ctx context.Context, h *chain.Header, body []byte) error {
	b, err := chain.NewBlock(h, body)
	if err != nil {
		return f.s.Invalid(err)
	}
	return f.client.cfg.Deliver(ctx, b)
}
