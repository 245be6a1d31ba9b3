package rule

import (
	"unsafe"

	"github.com/synodkit/synod/stm"
)

// Tx is what a rule works through: it reads and writes state, names the conjuncts of guards, and says what to send. A
// guard may only read.
type Tx struct {
	reads, writes uint64 // masks of cells
	probe         *probe
	now           int64
	from          Peer
	out           sink
	armed         bool           // a timer was set
	before        unsafe.Pointer // reads are of this state vector, not of the current one
	outer         *stm.Tx
	ended         bool
}

// sink takes what rules say.
type sink interface {
	send(m Message, early bool)
	broken(what string) // a promise of the table's, such as to say one thing a slot
}

// Message is something that one process says to another. The body's type chooses the rules that may take it.
type Message struct {
	From, To Peer
	Body     any
}

// Given names one conjunct of a guard and is its value. It stands as an operand of the && chain that a guard returns,
// and nowhere else: rulevet checks that.
func (tx *Tx) Given(name string, ok bool) bool {
	if tx.probe == nil {
		return ok
	}
	return tx.probe.given(name, ok)
}

// From is who sent the message of the On rule that is running, as the transport knows it.
func (tx *Tx) From() Peer { return tx.from }

// Send says m to a peer, to All or to Host. It leaves once all that this turn has changed is durable. What m leads to
// must not be changed afterwards.
func (tx *Tx) Send(to Peer, m any) { tx.out.send(Message{To: to, Body: m}, false) }

// Early is Send without waiting for the disk. What the message claims must then be true without what this turn and
// earlier ones have still to write: count one's own log up to Synced, not to Last. Explore such a table with
// World.Unsynced.
func (tx *Tx) Early(to Peer, m any) { tx.out.send(Message{To: to, Body: m}, true) }

// Inject says m in another's name: for the Moves of a World.
func (tx *Tx) Inject(from, to Peer, m any) { tx.out.send(Message{From: from, To: to, Body: m}, true) }

// End makes the module end once this turn's messages are out: its Run returns nil. For a protocol that is rebuilt at
// each epoch.
func (tx *Tx) End() { tx.ended = true }

// Outer is the transaction of the turn, to read what other modules show. A table that calls it can be run, not
// explored: keep it in a function that exploration replaces.
func (tx *Tx) Outer() *stm.Tx {
	if tx.outer == nil {
		panic("rule: Outer outside of a running module")
	}
	tx.reads |= outerBit
	return tx.outer
}

// probe is how tools look into guards.
type probe struct {
	drop    string                // this conjunct holds
	blocked string                // the first that does not
	seen    func(conjunct string) // told of each; may be nil
}

func (p *probe) given(name string, ok bool) bool {
	if p.seen != nil {
		p.seen(name)
	}
	if ok || name == p.drop && name != "" {
		return true
	}
	p.blocked = name
	return false
}
