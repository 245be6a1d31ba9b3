package mempool

import (
	"context"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/trace"
)

// Ledger is what a mempool needs of the user's ledger: S is its state, a persistent value that is never written to, X a parsed transaction.
// All methods are pure functions of their arguments, may run on any task, and must not panic on any bytes.
type Ledger[S, X any] interface {
	// Parse decodes a transaction strictly: one transaction has one encoding. It makes every check that needs no state, the cheapest first
	// and the signature last. Its error blames who sent the bytes. X may keep parts of raw.
	Parse(raw []byte) (X, error)

	// Check is the state after x, or why x is not valid on s. It is called often and checks no signature. A transaction that was applied
	// before must be refused from then on, as a nonce does.
	Check(s S, x X) (S, error)

	// Transactions are the bytes of those in a block, in order; none if the body cannot be read.
	Transactions(b chain.Block) ([][]byte, error)
}

// Limits bound a pool. Zero means the default.
type Limits struct {
	CountMax   int // pending transactions; default 32768
	BytesMax   int // bytes of pending transactions, and of those in the journal; default 32 MiB
	TxBytesMax int // bytes of one; default 64 KiB
	LocalMax   int // transactions in the journal, at most CountMax, which is the default
	HistoryMax int // transactions remembered as included or refused; default 16384

	// Of CountMax and BytesMax, what the lanes of remote peers have together: the rest is for local clients. Default: CountMax less half of LocalMax,
	// and half of BytesMax, or TxBytesMax if that is more.
	RemoteMax      int
	RemoteBytesMax int
}

// The defaults of Limits and the prefix.
const (
	countDefault   = 1 << 15
	bytesDefault   = 32 << 20
	txBytesDefault = 64 << 10
	historyDefault = 1 << 14
	prefixDefault  = "mempool/"

	limitMax   = 1 << 30
	txBytesMax = 1 << 20
)

// Config is what a pool is opened with. Ledger, Selection, Block, Store and K are required.
type Config[S, X any] struct {
	Ledger Ledger[S, X]

	// Selection is the newest part of the selected chain, and the ledger's state after its tip.
	Selection func(tx *stm.Tx) (chain.Fragment, S)

	// Block reads a block of the selection, or one that was rolled back and may be gone.
	Block func(ctx context.Context, p chain.Point) (chain.Block, error)

	Store  store.Store // of the journal
	Prefix string      // of its keys; default "mempool/"

	// K blocks deep nothing is rolled back any more: a local transaction leaves the journal. It is at most the length that Selection's fragment
	// grows to.
	K int

	Limits Limits
	Tracer trace.Tracer[Event] // called on the task that made the event, after it is true
}

// complete fills in defaults and checks.
func (c *Config[S, X]) complete() error {
	if c.Prefix == "" {
		c.Prefix = prefixDefault
	}
	switch {
	case c.Ledger == nil:
		return bad("Ledger", "is missing")
	case c.Selection == nil:
		return bad("Selection", "is missing")
	case c.Block == nil:
		return bad("Block", "is missing")
	case c.Store == nil:
		return bad("Store", "is missing")
	case len(c.Prefix) > store.KeyBytesMax/2:
		return bad("Prefix", "has %d bytes, at most %d", len(c.Prefix), store.KeyBytesMax/2)
	case c.K < 1 || c.K > limitMax:
		return bad("K", "is %d instead of 1 to %d", c.K, limitMax)
	}
	return c.Limits.complete()
}

func (l *Limits) complete() error {
	if err := complete("CountMax", &l.CountMax, countDefault, limitMax); err != nil {
		return err
	}
	if err := complete("BytesMax", &l.BytesMax, bytesDefault, limitMax); err != nil {
		return err
	}
	most := min(txBytesMax, l.BytesMax)
	if err := complete("TxBytesMax", &l.TxBytesMax, min(txBytesDefault, most), most); err != nil {
		return err
	}
	if err := complete("LocalMax", &l.LocalMax, l.CountMax, l.CountMax); err != nil {
		return err
	}
	if err := complete("RemoteMax", &l.RemoteMax, l.CountMax-l.LocalMax/2, l.CountMax); err != nil {
		return err
	}
	if err := complete("RemoteBytesMax", &l.RemoteBytesMax, max(l.BytesMax/2, l.TxBytesMax), l.BytesMax); err != nil {
		return err
	}
	if l.RemoteBytesMax < l.TxBytesMax {
		return bad("Limits.RemoteBytesMax", "is %d, at least TxBytesMax, which is %d", l.RemoteBytesMax, l.TxBytesMax)
	}
	return complete("HistoryMax", &l.HistoryMax, historyDefault, limitMax)
}

func complete(name string, p *int, def, most int) error {
	if *p == 0 {
		*p = def
	}
	if *p < 1 || *p > most {
		return bad("Limits."+name, "is %d instead of 1 to %d", *p, most)
	}
	return nil
}

func bad(field, format string, args ...any) error {
	return fmt.Errorf("mempool: Config.%s %s", field, fmt.Sprintf(format, args...))
}
