package chainsel

import (
	"fmt"

	"github.com/synodkit/synod/chain"
)

// Verdict is what chain selection decided about a block.
type Verdict uint8

// The verdicts. The zero Verdict means that nothing is decided yet.
const (
	undecided Verdict = iota
	Extended          // on the selection; nothing was rolled back for it
	Switched          // on the selection, after a rollback
	NotBetter         // kept: no chain through it that may be valid is better than the selection
	Waiting           // kept: its predecessor is not known yet
	TooOld            // refused: at or below the point that no rollback passes
	TooFar            // refused: predecessor unknown, and too far ahead for its chain ever to fit into the volatile part
	Full              // refused: larger than the volatile part, or driven out of it by later blocks of the same round
	Invalid           // refused: it, or a block below it, is not valid
	Dropped           // the selection task ended before it decided
)

// String is the verdict in words.
func (v Verdict) String() string {
	words := [...]string{"undecided", "extended", "switched", "not better", "waiting", "too old", "too far", "full", "invalid", "dropped"}
	if int(v) < len(words) {
		return words[v]
	}
	return fmt.Sprintf("verdict %d", uint8(v))
}

// Result is what became of a block: the verdict, and the selection's tip right after it. Later blocks may change what it tells: a block
// that waits may be selected, one that is selected may be rolled back.
type Result struct {
	Verdict Verdict
	Tip     chain.Tip
	Err     error // of Invalid: an *InvalidError; of Dropped: wraps ErrClosed
}

// Selected reports whether the block was on the selection; then it is durable.
func (r Result) Selected() bool { return r.Verdict == Extended || r.Verdict == Switched }

// Switch is one move of the selection, and why it happened: To is better than From by the order.
type Switch struct {
	From, To chain.Tip
	At       chain.Point // the newest block that both chains hold
	Depth    int         // blocks rolled back, at most K; 0 for an extension
	Added    int         // blocks added
}

// Event is what a tracer sees, after it is true. Extended and Switched come once a move, with Move; the others once a block handed in; those of
// snapshots have no Verdict.
type Event struct {
	Verdict  Verdict
	Block    chain.Tip // the block judged; of a move: the new tip; of a snapshot: the block after which its state is
	Tip      chain.Tip // the selection's
	Move     Switch
	Why      string // of Switched, NotBetter and refusals: the reason
	Snapshot string // "written", "used" by Open, "unusable" to Open (with Err), or empty
	Err      error  // of Invalid, and of an unusable snapshot
}

// Kind is the verdict in words, or that it is about a snapshot: for metrics.
func (e Event) Kind() string {
	if e.Snapshot != "" {
		return "snapshot " + e.Snapshot
	}
	return e.Verdict.String()
}

// String is the event as a line.
func (e Event) String() string {
	switch {
	case e.Snapshot != "" && e.Err != nil:
		return fmt.Sprintf("snapshot of %v: %s: %v", e.Block, e.Snapshot, e.Err)
	case e.Snapshot != "":
		return fmt.Sprintf("snapshot of %v: %s", e.Block, e.Snapshot)
	}
	switch e.Verdict {
	case Extended:
		return fmt.Sprintf("extended by %d to %v", e.Move.Added, e.Move.To)
	case Switched:
		return fmt.Sprintf("switched from %v to %v: %d blocks back to %v, %d added%s", e.Move.From, e.Move.To, e.Move.Depth, e.Move.At, e.Move.Added, because(e.Why))
	case Invalid:
		return fmt.Sprintf("%v", e.Err)
	}
	return fmt.Sprintf("block %v: %v%s; selection %v", e.Block, e.Verdict, because(e.Why), e.Tip)
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return " (" + why + ")"
}

// Stats counts since Open.
type Stats struct {
	Moves     uint64 // of the selection
	Rollbacks uint64 // moves with Depth > 0
	Deepest   int    // Depth, at most
	Selected  uint64 // blocks added to the selection
	Invalid   uint64 // blocks found invalid
	Refused   uint64 // blocks too old, too far, or for which the volatile part was full
	Evicted   uint64 // blocks that left the volatile part because it was full
}
