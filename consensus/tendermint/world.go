package tendermint

import (
	"errors"
	"fmt"
	"slices"

	"github.com/synodkit/synod/consensus"
	"github.com/synodkit/synod/consensus/rule"
)

// Bounds say how large a world is: one height of validators 0, 1, 2, which are correct, and 3, which is faulty and has said everything.
type Bounds struct {
	Rounds   int
	Values   int  // that may be proposed and are valid
	Invalid  bool // and one that is not
	Proposes int  // the round in which the faulty validator is the proposer; NoRound: never
	Crashes  int
	Starts   bool   // validators begin by waiting for work
	Forget   string // a Var that a crash forgets, although it is to be durable: a planted mistake
}

// faultyPeer is the last of four.
const faultyPeer rule.Peer = 3

// World is algorithm 1 with its surroundings, for package explore. Its invariants are agreement, validity and what the paper's lemmas say
// of single states. A validator that says two things in one place is an error by itself.
func World(b Bounds) rule.World[*Machine] {
	c := settings{set: fourEqual(), share: consensus.TwoThirds, leader: b.leader, first: propose, height: 1, explored: b.domains(), forget: b.Forget}
	if b.Starts {
		c.first = waiting
	}
	l := lemmas{b}
	return rule.World[*Machine]{
		Table:       table("tendermint", c),
		Peers:       []rule.Peer{0, 1, 2},
		Faulty:      []rule.Peer{faultyPeer},
		Crashes:     b.Crashes,
		MessagesMax: 64,
		Invariant:   l.check,
		Goal:        allDecided,
		Bound: func(tx *rule.Tx, ms []*Machine) bool {
			for _, m := range ms {
				if int(m.round.Get(tx)) >= b.Rounds {
					return false
				}
			}
			return true
		},
	}
}

func fourEqual() *consensus.Set {
	var ms []consensus.Member
	for i := range 4 {
		ms = append(ms, consensus.Member{ID: consensus.ID(fmt.Sprint(i)), Weight: 1})
	}
	s, err := consensus.NewSet(ms...)
	if err != nil {
		panic(err)
	}
	return s
}

// leader is the correct validators in turn, but for one round.
func (b Bounds) leader(_ Height, r Round) rule.Peer {
	switch {
	case int(r) == b.Proposes:
		return faultyPeer
	case b.Proposes == 0:
		return rule.Peer(r-1) % faultyPeer
	}
	return rule.Peer(r) % faultyPeer
}

func (b Bounds) domains() *domains {
	d := &domains{}
	n := b.Values
	if b.Invalid {
		n++
	}
	for v := range n {
		s := said{Value{byte(v + 1)}, NoRound, v == b.Values}
		d.fresh = append(d.fresh, s)
		for s.ValidRound = 0; int(s.ValidRound) < b.Rounds; s.ValidRound++ {
			d.old = append(d.old, s)
		}
	}
	d.all = slices.Concat(d.fresh, d.old)
	for r := range Round(b.Rounds) {
		d.rounds = append(d.rounds, r)
		for _, s := range d.fresh {
			d.both = append(d.both, roundSaid{r, s})
		}
	}
	return d
}

func allDecided(tx *rule.Tx, ms []*Machine) bool {
	for _, m := range ms {
		if m.decided.Get(tx) == (Value{}) {
			return false
		}
	}
	return true
}

// ErrAgreement is the violation that matters. Validity and the lemmas are what else must hold in every state, in the order of the paper's
// section on correctness.
var (
	ErrAgreement = errors.New("agreement: two correct validators decide differently")
	errValidity  = errors.New("validity: a value that is not valid is decided")
	errLemma     = errors.New("lemma")
)

type lemmas struct{ b Bounds }

func broken(what string) error { return fmt.Errorf("%w: %s", errLemma, what) }

func (l lemmas) check(tx *rule.Tx, ms []*Machine) error {
	var first Value
	for _, m := range ms {
		switch d := m.decided.Get(tx); {
		case d == Value{}:
		case int(d[0]) > l.b.Values:
			return errValidity
		case first != Value{} && d != first:
			return ErrAgreement
		default:
			first = d
		}
	}
	for _, m := range ms {
		if err := l.one(tx, m); err != nil {
			return err
		}
		for r := range Round(l.b.Rounds) {
			if err := l.round(tx, m, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// one is about a validator's variables.
func (l lemmas) one(tx *rule.Tx, m *Machine) error {
	lock, valid, r, s := m.locked.Get(tx), m.valid.Get(tx), m.round.Get(tx), m.step.Get(tx)
	switch {
	case lock.Round > valid.Round || valid.Round > r:
		return broken("lockedRound <= validRound <= round")
	case !lock.none() && m.ownVote(tx, lock.Round, Precommit) != lock.Value:
		return broken("locked without a precommit")
	case s == prevote && l.disloyal(tx, m, lock, r):
		return broken("a prevote against the lock without a polka that is newer, and older than the round")
	case s == propose && valid.Round == r:
		return broken("valid in this round before the prevote")
	case !valid.none() && m.votes(tx, valid.Round, Prevote, valid.Value) < m.quorum():
		return broken("valid without a polka")
	case (m.decided.Get(tx) == Value{}) == (s == done):
		return broken("a validator goes on after its decision")
	}
	return nil
}

// disloyal is a prevote of round r for another value than the locked one that no polka of a round between the lock's and r allows.
func (l lemmas) disloyal(tx *rule.Tx, m *Machine, lock choice, r Round) bool {
	v := m.ownVote(tx, r, Prevote)
	if lock.none() || v == (Value{}) || v == lock.Value {
		return false
	}
	for vr := lock.Round; vr < r; vr++ {
		if m.votes(tx, vr, Prevote, v) >= m.quorum() {
			return false
		}
	}
	return true
}

func (m *Machine) ownVote(tx *rule.Tx, r Round, k Kind) Value {
	s, _ := m.said.Own(tx, m.at(tx, r, k))
	return s.Value
}

// round is about what a validator has said in a round.
func (l lemmas) round(tx *rule.Tx, m *Machine, r Round) error {
	if s, ok := m.said.Own(tx, m.at(tx, r, Proposal)); ok {
		switch {
		case !m.leads(tx, r):
			return broken("a proposal by another than the proposer")
		case s.ValidRound >= r:
			return broken("a validRound that is not in the past")
		case s.ValidRound != NoRound && m.votes(tx, s.ValidRound, Prevote, s.Value) < m.quorum():
			return broken("a validRound without a polka")
		case s.Invalid:
			return broken("a proposal of what is not valid")
		}
	}
	if s, ok := m.said.Own(tx, m.at(tx, r, Prevote)); ok && s.Value != (Value{}) {
		switch {
		case int(s.Value[0]) > l.b.Values:
			return broken("a prevote for what is not valid")
		case !m.proposedEver(tx, r, said{Value: s.Value}):
			return broken("a prevote for what nobody proposed")
		}
	}
	if s, ok := m.said.Own(tx, m.at(tx, r, Precommit)); ok {
		_, voted := m.said.Own(tx, m.at(tx, r, Prevote))
		switch {
		case !voted:
			return broken("a precommit before the prevote")
		case m.anyVotes(tx, r, Prevote) < m.quorum():
			return broken("a precommit without 2f+1 prevotes")
		case s.Value != (Value{}) && m.votes(tx, r, Prevote, s.Value) < m.quorum():
			return broken("a precommit without a polka")
		}
	}
	if r > 0 && m.round.Get(tx) >= r && m.anyVotes(tx, r-1, Precommit) < m.quorum() {
		return broken("a round entered without 2f+1 precommits of the one before")
	}
	return nil
}
