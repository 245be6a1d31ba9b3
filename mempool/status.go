package mempool

import (
	"fmt"

	"github.com/synodkit/synod/chain"
)

// Stage is where a transaction stands.
type Stage uint8

// The stages.
const (
	Unknown  Stage = iota // never seen, or forgotten
	Pending               // in the pool
	Included              // in a block of the selected chain
	Refused               // was in the pool or on the chain, and is not valid any more; a local one is tried again at each new tip
)

// String is the stage in words.
func (s Stage) String() string {
	words := [...]string{"unknown", "pending", "included", "refused"}
	if int(s) < len(words) {
		return words[s]
	}
	return fmt.Sprintf("stage %d", uint8(s))
}

// Status is what is known about a transaction.
type Status struct {
	Stage Stage
	At    chain.Tip // Included: the block; Refused: the tip on which it was
	Err   error     // Refused: why, a *RefusedError; wraps ErrFull if it gave way to others
}

// Stats are the sizes of a pool, and counts since Open.
type Stats struct {
	Count      int // pending
	SizeBytes  int // of them
	Local      int // in the journal: pending, included less than K deep, or refused for less than K blocks
	LocalBytes int // of them

	Added    uint64 // accepted by Submit and Offer
	Included uint64 // of those that were here, found on the chain
	Returned uint64 // pending again after a rollback, a refusal or a restart
	Refused  uint64 // not valid any more
	Dropped  uint64 // remote ones that gave way to returned ones
}

// Event is what a tracer sees: a transaction's new stage, or, when Stage is Unknown, that the pool has moved to another tip.
type Event struct {
	Stage Stage
	ID    chain.Hash
	Local bool
	Bytes int       // of a Pending one
	Tip   chain.Tip // Included: the block; else the pool's
	Err   error     // of a Refused one
	Move  Move
}

// Move is the pool's way from one tip to another.
type Move struct {
	From, To       chain.Tip
	Added, Removed int // blocks; Removed is 0 if that is not known
	Missing        int // rolled-back blocks that could not be read any more: of their transactions only local ones return
	Included       int // transactions of the blocks added
	Returned       int // transactions pending again
	Refused        int // transactions that are not valid any more, or gave way
	Count          int // pending now
}

// String is the event as a line.
func (e Event) String() string {
	whose := "remote"
	if e.Local {
		whose = "local"
	}
	switch m := e.Move; e.Stage {
	case Unknown:
		return fmt.Sprintf("moved from %v to %v: %d blocks back, %d added; %d included, %d returned, %d refused, %d pending",
			m.From, m.To, m.Removed, m.Added, m.Included, m.Returned, m.Refused, m.Count)
	case Refused:
		return fmt.Sprintf("%s %v", whose, e.Err)
	}
	return fmt.Sprintf("%s transaction %x: %v; tip %v", whose, e.ID[:4], e.Stage, e.Tip)
}
