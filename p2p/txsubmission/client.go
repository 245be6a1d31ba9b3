package txsubmission

import (
	"context"
	"fmt"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
)

// Sink is what takes the transactions of one peer. mempool.Lane is one.
type Sink interface {
	// Has says that a transaction need not be fetched.
	Has(tx *stm.Tx, id chain.Hash) bool
	// Room says that so many bytes would fit, of one transaction or of several. It is asked for at most Config.TxBytesMax, and must
	// come to be true for that, or the session rests for ever.
	Room(tx *stm.Tx, bytes int) bool
	// Offer takes a transaction, or says why not.
	Offer(ctx context.Context, raw []byte) error
}

// Config is what a Client needs of the node. The fields without a default are needed.
type Config struct {
	Sink  func(peer p2p.PeerID) Sink
	Full  func(err error) bool // Offer's error: it was for want of room, and the transaction is offered again once there is
	Blame func(err error) bool // Offer's error: only a dishonest peer sends such a transaction

	TxBytesMax int           // the sink's largest: larger ones are passed over; default and at most TxBytesMax
	BytesMax   int           // announced bytes a request; default and at most RequestBytesMax; one transaction is always allowed
	LeaseFor   time.Duration // after this others may ask for what a peer still owes, default 2 s
	PauseMax   time.Duration // the longest pause after transactions that were of no use, default 1 s
}

const (
	leaseDefault = 2 * time.Second
	pauseDefault = time.Second
)

// Client is the pulling side of a node, shared by its sessions.
type Client struct {
	cfg    Config
	leases *gate.Leases[chain.Hash] // of requests under way, at most one a session; when its time is over others may bring the transactions too
	// decide finds and leases what to ask for next. A field, so that tests can plant decisions that would be wrong.
	decide func(p *pull, tx *stm.Tx) plan
}

// NewClient makes a client. The error names the first field that is missing or out of range.
func NewClient(cfg Config) (*Client, error) {
	if cfg.TxBytesMax == 0 {
		cfg.TxBytesMax = TxBytesMax
	}
	if cfg.BytesMax == 0 {
		cfg.BytesMax = RequestBytesMax
	}
	if cfg.LeaseFor == 0 {
		cfg.LeaseFor = leaseDefault
	}
	if cfg.PauseMax == 0 {
		cfg.PauseMax = pauseDefault
	}
	for _, f := range []struct {
		name string
		bad  bool
	}{
		{"Sink", cfg.Sink == nil}, {"Full", cfg.Full == nil}, {"Blame", cfg.Blame == nil},
		{"TxBytesMax", cfg.TxBytesMax < 1 || cfg.TxBytesMax > TxBytesMax},
		{"BytesMax", cfg.BytesMax < 1 || cfg.BytesMax > RequestBytesMax},
		{"LeaseFor", cfg.LeaseFor < 0}, {"PauseMax", cfg.PauseMax < 0},
	} {
		if f.bad {
			return nil, fmt.Errorf("txsubmission: Config.%s is missing or out of range", f.name)
		}
	}
	return &Client{cfg: cfg, leases: gate.NewLeases[chain.Hash]("txsubmission.leases"), decide: (*pull).decide}, nil
}
