package tendermint

import (
	"fmt"
	"slices"
	"time"

	"github.com/synodkit/synod/consensus"
	"github.com/synodkit/synod/consensus/rule"
)

// step is where a validator is in a round: the paper's step_p. The order matters: rules ask for "step >= prevote".
type step uint8

// String is the paper's word.
func (s step) String() string {
	return [...]string{"waiting", "done", "propose", "prevote", "precommit"}[s]
}

const (
	waiting   step = iota // between heights: for work, or for others to begin
	done                  // between heights: decided, until the application has applied it
	propose               // until a prevote is said
	prevote               // until a precommit is said
	precommit             // until the next round
)

// slot is where a validator has one thing to say.
type slot struct {
	Height Height
	Round  Round
	Kind   Kind
}

// said is what it says there. Only a proposal has a ValidRound, and only one whose block is not valid is Invalid, which its receivers
// find out for themselves: valid(v) is a fact when the proposal is.
type said struct {
	Value      Value
	ValidRound Round
	Invalid    bool
}

// String is the value and, if there is one, the validRound.
func (s said) String() string {
	out := s.Value.String()
	if s.ValidRound != NoRound {
		out += fmt.Sprintf(" vr=%d", s.ValidRound)
	}
	if s.Invalid {
		out += " (not valid)"
	}
	return out
}

func vote(v Value) said { return said{v, NoRound, false} }

// choice is a value and the round it was locked or found valid in: lockedValue and lockedRound, validValue and validRound.
type choice struct {
	Value Value
	Round Round
}

// String is the value and its round.
func (c choice) String() string {
	if c.none() {
		return "none"
	}
	return fmt.Sprintf("%v@%d", c.Value, c.Round)
}

func (c choice) none() bool { return c.Round == NoRound }

// Machine is a validator's state, by the names of the paper. What stands in it belongs to the rules; see [World].
type Machine struct {
	self     rule.Peer
	settings settings

	height  *rule.Var[Height] // h_p
	round   *rule.Var[Round]  // round_p
	step    *rule.Var[step]   // step_p
	locked  *rule.Var[choice] // lockedValue_p, lockedRound_p
	valid   *rule.Var[choice] // validValue_p, validRound_p
	decided *rule.Var[Value]  // decision_p[h_p]; nil: none yet

	said *rule.Pool[slot, said] // every message of this height that is known, by all authors

	// What the paper leaves to its surroundings, lost in a crash.
	work  *rule.Var[bool]  // there is something to propose, or an empty block is due
	ready *rule.Var[Value] // the result of getValue(); nil: not yet
	awake *rule.Var[bool]  // false after a start until timers run again
	told  *rule.Var[bool]  // the host has the decision and its certificate

	timeoutPropose, timeoutPrevote, timeoutPrecommit *rule.Timer
}

// settings are what a table is made with. They do not change while it runs: a new set of validators gets a new table.
type settings struct {
	set    *consensus.Set
	share  func(total consensus.Weight) consensus.Weight // what a quorum is: consensus.TwoThirds
	leader func(Height, Round) rule.Peer                 // proposer(h, r)
	height Height                                        // to begin with
	window int                                           // rounds beyond one's own in which others are heard
	times  timeouts
	first  step // what a machine that is new starts in

	explored *domains // nil: what is in the pool
	forget   string   // a planted mistake: this Var is not durable
}

// domains stand for the contents of the pool in exploration, where a faulty proposer has said everything.
type domains struct {
	fresh  []said // with validRound -1: each value once
	old    []said // with another
	all    []said
	rounds []Round
	both   []roundSaid
}

type timeouts struct{ propose, prevote, precommit consensus.Pacemaker }

// newMachine declares a validator's state.
func newMachine(s *rule.Space, c settings) *Machine {
	nothing := choice{Round: NoRound}
	m := &Machine{
		self: s.Self(), settings: c,
		height:           durable(s, c, "height", c.height),
		round:            durable(s, c, "round", Round(0)),
		step:             durable(s, c, "step", c.first),
		locked:           durable(s, c, "locked", nothing),
		valid:            durable(s, c, "valid", nothing),
		decided:          durable(s, c, "decided", Value{}),
		work:             rule.Volatile(s, "work", false),
		ready:            rule.Volatile(s, "ready", Value{}),
		awake:            rule.Volatile(s, "awake", c.explored != nil),
		told:             rule.Volatile(s, "told", c.explored != nil),
		timeoutPropose:   s.Timer("timeoutPropose"),
		timeoutPrevote:   s.Timer("timeoutPrevote"),
		timeoutPrecommit: s.Timer("timeoutPrecommit"),
	}
	m.said = rule.NewPool[slot, said](s, "said", rule.Limits[slot]{
		Authors:  c.set.Len(),
		SlotsMax: slotsMax,
		Weight:   func(author rule.Peer, _ slot) uint64 { return uint64(c.set.At(int(author)).Weight) },
		Below:    func(s, floor slot) bool { return s.Height < floor.Height },
		Also:     func(_ slot, weight uint64) bool { return weight >= m.some() },
	})
	return m
}

// durable is rule.Durable, but for the mistake that an exploration plants.
func durable[T any](s *rule.Space, c settings, name string, initial T) *rule.Var[T] {
	if name == c.forget {
		return rule.Volatile(s, name, initial)
	}
	return rule.Durable(s, name, initial)
}

// slotsMax bounds what one author can have said in one height: three things a round. The gate's window is the bound that is met.
const slotsMax = 3 << 16

// Thresholds, by weight.
func (m *Machine) quorum() uint64 { return uint64(m.settings.share(m.settings.set.Total())) }   // 2f+1
func (m *Machine) some() uint64   { return uint64(consensus.OneThird(m.settings.set.Total())) } // f+1

func (m *Machine) at(tx *rule.Tx, r Round, k Kind) slot { return slot{m.height.Get(tx), r, k} }

// here is a slot of the current round.
func (m *Machine) here(tx *rule.Tx, k Kind) slot { return m.at(tx, m.round.Get(tx), k) }

func (m *Machine) leads(tx *rule.Tx, r Round) bool {
	return m.settings.leader(m.height.Get(tx), r) == m.self
}

// proposed is PROPOSAL(h, r, v, vr) from proposer(h, r).
func (m *Machine) proposed(tx *rule.Tx, r Round, s said) bool {
	return m.said.Has(tx, m.settings.leader(m.height.Get(tx), r), m.at(tx, r, Proposal), s)
}

// proposedEver is PROPOSAL(h, r, v, *): with any validRound.
func (m *Machine) proposedEver(tx *rule.Tx, r Round, s said) bool {
	for s.ValidRound = NoRound; s.ValidRound < r; s.ValidRound++ {
		if m.proposed(tx, r, s) {
			return true
		}
	}
	return false
}

func (m *Machine) votes(tx *rule.Tx, r Round, k Kind, v Value) uint64 {
	return m.said.Weight(tx, m.at(tx, r, k), vote(v))
}

func (m *Machine) anyVotes(tx *rule.Tx, r Round, k Kind) uint64 {
	return m.said.WeightAny(tx, m.at(tx, r, k))
}

// proposals is the domain of rules about proposals of the current round with any validRound: each value at least once.
func proposals(tx *rule.Tx, m *Machine) []said {
	if d := m.settings.explored; d != nil {
		return d.fresh
	}
	return m.said.Values(tx, m.here(tx, Proposal))
}

// newProposals are those with validRound -1.
func newProposals(tx *rule.Tx, m *Machine) []said {
	if d := m.settings.explored; d != nil {
		return d.fresh
	}
	return slices.DeleteFunc(proposals(tx, m), func(s said) bool { return s.ValidRound != NoRound })
}

// oldProposals are the others.
func oldProposals(tx *rule.Tx, m *Machine) []said {
	if d := m.settings.explored; d != nil {
		return d.old
	}
	return slices.DeleteFunc(proposals(tx, m), func(s said) bool { return s.ValidRound == NoRound })
}

// say is a broadcast of the paper: it leaves when it is durable, and counts at once.
func (m *Machine) say(tx *rule.Tx, k Kind, s said) { m.said.Say(tx, m.here(tx, k), s) }

// spoke reports that the validator has said something of a kind in this round.
func (m *Machine) spoke(tx *rule.Tx, k Kind) bool {
	_, ok := m.said.Own(tx, m.here(tx, k))
	return ok
}

// prevotes and precommits say a vote, and goes on to the next step.
func (m *Machine) prevotes(tx *rule.Tx, v Value) {
	m.say(tx, Prevote, vote(v))
	m.step.Set(tx, prevote)
	m.timeoutPropose.Stop(tx)
}

func (m *Machine) precommits(tx *rule.Tx, v Value) {
	m.say(tx, Precommit, vote(v))
	m.step.Set(tx, precommit)
	m.timeoutPrevote.Stop(tx)
}

// startRound is lines 11 to 21, but for the proposal itself, which is L14's. The proposer has a timeout too: getValue may take long.
func (m *Machine) startRound(tx *rule.Tx, r Round) {
	m.round.Set(tx, r)
	m.step.Set(tx, propose)
	m.timeoutPrevote.Stop(tx)
	m.timeoutPrecommit.Stop(tx)
	m.arm(tx, m.timeoutPropose, m.settings.times.propose)
	m.tell(tx)
}

func (m *Machine) arm(tx *rule.Tx, t *rule.Timer, p consensus.Pacemaker) {
	t.Arm(tx, max(p.Timeout(uint64(m.round.Get(tx))), time.Nanosecond))
}

// entered tells the host where the machine is.
type entered struct {
	Height Height
	Round  Round
	Step   step
	Asks   bool // it needs the result of getValue()
}

func (m *Machine) tell(tx *rule.Tx) {
	r, s := m.round.Get(tx), m.step.Get(tx)
	asks := s == propose && m.leads(tx, r) && m.valid.Get(tx).none() && m.ready.Get(tx) == (Value{}) && !m.spoke(tx, Proposal)
	tx.Send(rule.Host, entered{m.height.Get(tx), r, s, asks})
}
