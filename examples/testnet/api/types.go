package api

import (
	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/examples/coin"
)

// Limits of the interface.
const (
	TxBytesMax   = 64 << 10 // of a POST /tx
	BlocksMax    = 1000     // in an answer to /chain
	TransfersMax = 20_000   // in an answer to /chain, which ends with the block that reaches it
)

// Status is one node at one moment: the body of /status, and of each event. It is comparable.
type Status struct {
	Name       string     `json:"name"`
	PID        int        `json:"pid"`
	PeerID     string     `json:"peer_id"`
	Genesis    chain.Hash `json:"genesis"`
	Height     uint64     `json:"height"`
	Tip        chain.Hash `json:"tip"`
	Slot       uint64     `json:"slot"` // of the tip
	Peers      int        `json:"peers"`
	Rollbacks  uint64     `json:"rollbacks"`
	Violations int        `json:"violations"`
	Forged     uint64     `json:"forged"`
	Root       chain.Hash `json:"root"` // of the ledger after the tip
	Mempool    Mempool    `json:"mempool"`
	URL        string     `json:"-"`
}

// Mempool counts the pending transfers of a node.
type Mempool struct {
	Count int `json:"count"`
	Bytes int `json:"bytes"`
}

// Blocks is the answer to /chain.
type Blocks struct {
	From   uint64  `json:"from"`
	Blocks []Block `json:"blocks"`
}

// Block is one block of the selected chain.
type Block struct {
	Height    uint64     `json:"height"`
	Slot      uint64     `json:"slot"`
	Hash      chain.Hash `json:"hash"`
	Prev      chain.Hash `json:"prev"`
	BodyBytes int        `json:"body_bytes"`
	Transfers []Transfer `json:"transfers"`
}

// Transfer is one transfer of a block.
type Transfer struct {
	Hash   chain.Hash   `json:"hash"`
	From   coin.Address `json:"from"`
	To     coin.Address `json:"to"`
	Amount uint64       `json:"amount"`
	Fee    uint64       `json:"fee"`
	Nonce  uint64       `json:"nonce"`
}

// Receipt is the answer to POST /tx: the transfer is durable on this node.
type Receipt struct {
	Hash chain.Hash `json:"hash"`
}

// Stage is how far a transfer has come, as one node sees it. An included transfer may become pending again by a rollback.
type Stage string

// The stages.
const (
	Unknown  Stage = "unknown"
	Pending  Stage = "pending"
	Included Stage = "included"
	Refused  Stage = "refused"
)

// Tx is what a node knows of a transfer.
type Tx struct {
	Hash   chain.Hash `json:"hash"`
	Stage  Stage      `json:"stage"`
	Block  *Place     `json:"block,omitempty"`  // where it is included
	Reason string     `json:"reason,omitempty"` // why it is refused
}

// Place is a block's place on the chain.
type Place struct {
	Height uint64     `json:"height"`
	Slot   uint64     `json:"slot"`
	Hash   chain.Hash `json:"hash"`
}

// Account is what an address has.
type Account struct {
	Address coin.Address `json:"address"`
	Balance uint64       `json:"balance"`    // on the selected chain
	Next    uint64       `json:"next_nonce"` // of its next transfer, after those pending on this node
}
