package explore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/consensus/rule/explore"
	"github.com/synodkit/synod/internal/long"
)

// One height of Tendermint with three correct processes and a faulty one, two rounds, two values: the world whose
// states were counted by two other programs, 1,193,173.

type value int8

const (
	noValue value = iota
	valueA
	valueB
	nilVote
)

type step int8

const (
	propose step = iota
	prevote
	precommit
	decided
)

const (
	rounds = 2
	faulty = 3
	quorum = 3
	some   = 2
)

type voteKind int8

const (
	proposals voteKind = iota
	prevotes
	precommits
)

type slot struct {
	kind  voteKind
	round int8
}

type said struct { // ValidRound + 1, of a proposal
	v  value
	vr int8
}

type at struct {
	v value
	r int8 // + 1
}

type tend struct {
	self          rule.Peer
	round         *rule.Var[int8]
	step          *rule.Var[step]
	decision      *rule.Var[value]
	locked, valid *rule.Var[at]
	facts         *rule.Pool[slot, said]
	timer         *rule.Timer
	first         int8 // the round in which the faulty one proposes
}

func newTend(first int8, lock func(*rule.Space, string, at) *rule.Var[at]) func(*rule.Space) *tend {
	return func(s *rule.Space) *tend {
		return &tend{
			self:     s.Self(),
			round:    rule.Durable(s, "round", int8(0)),
			step:     rule.Durable(s, "step", propose),
			decision: rule.Durable(s, "decision", noValue),
			locked:   lock(s, "locked", at{}),
			valid:    rule.Durable(s, "valid", at{}),
			facts:    rule.NewPool[slot, said](s, "facts", rule.Limits[slot]{Authors: 4}),
			timer:    s.Timer("timer"),
			first:    first,
		}
	}
}

func (p *tend) proposer(r int8) rule.Peer {
	switch {
	case r == p.first:
		return faulty
	case p.first == 0:
		return rule.Peer(r - 1)
	}
	return rule.Peer(r % faulty)
}

func (p *tend) proposed(tx *rule.Tx, r int8, v value, vr int8) bool {
	return p.facts.Has(tx, p.proposer(r), slot{proposals, r}, said{v, vr + 1})
}

func (p *tend) proposedAny(tx *rule.Tx, r int8, v value) bool {
	for vr := int8(-1); vr < r; vr++ {
		if p.proposed(tx, r, v, vr) {
			return true
		}
	}
	return false
}

func (p *tend) vote(tx *rule.Tx, k voteKind, v value) {
	p.facts.Say(tx, slot{k, p.round.Get(tx)}, said{v, 0})
	p.step.Set(tx, step(k))
}

func (p *tend) startRound(tx *rule.Tx, r int8) {
	p.round.Set(tx, r)
	p.step.Set(tx, propose)
}

type bound struct {
	v value
	r int8
}

var (
	values = []value{valueA, valueB}
	bounds = []bound{{valueA, 0}, {valueB, 0}, {valueA, 1}, {valueB, 1}}
)

func allValues(*rule.Tx, *tend) []value { return values }
func allBounds(*rule.Tx, *tend) []bound { return bounds }

func tendRules(forget bool) []rule.Rule[*tend] {
	type Tx = rule.Tx
	prevoteUnlessLocked := func(tx *Tx, p *tend, v value, vr int8) {
		if l := p.locked.Get(tx); l.r <= vr+1 || l.v == v || forget {
			p.vote(tx, prevotes, v)
		} else {
			p.vote(tx, prevotes, nilVote)
		}
	}
	return []rule.Rule[*tend]{
		rule.For("L14 propose", allValues, func(tx *Tx, p *tend, v value) bool {
			r := p.round.Get(tx)
			_, said := p.facts.Own(tx, slot{proposals, r})
			return tx.Given("proposer(h,r) = self", p.proposer(r) == p.self) &&
				tx.Given("step = propose", p.step.Get(tx) == propose) &&
				tx.Given("not yet proposed", !said) &&
				tx.Given("v = validValue, if any", p.valid.Get(tx).v == noValue || p.valid.Get(tx).v == v)
		}, func(tx *Tx, p *tend, v value) {
			p.facts.Say(tx, slot{proposals, p.round.Get(tx)}, said{v, p.valid.Get(tx).r})
		}),

		rule.For("L22 new proposal", allValues, func(tx *Tx, p *tend, v value) bool {
			return tx.Given("PROPOSAL(h,r,v,-1)", p.proposed(tx, p.round.Get(tx), v, -1)) &&
				tx.Given("step = propose", p.step.Get(tx) == propose)
		}, func(tx *Tx, p *tend, v value) { prevoteUnlessLocked(tx, p, v, -1) }),

		rule.For("L28 old proposal", allBounds, func(tx *Tx, p *tend, b bound) bool {
			r := p.round.Get(tx)
			return tx.Given("vr < round", b.r < r) &&
				tx.Given("PROPOSAL(h,r,v,vr)", p.proposed(tx, r, b.v, b.r)) &&
				tx.Given("2f+1 PREVOTE(h,vr,v)", p.facts.Weight(tx, slot{prevotes, b.r}, said{b.v, 0}) >= quorum) &&
				tx.Given("step = propose", p.step.Get(tx) == propose)
		}, func(tx *Tx, p *tend, b bound) { prevoteUnlessLocked(tx, p, b.v, b.r) }),

		rule.For("L36 polka", allValues, func(tx *Tx, p *tend, v value) bool {
			r, s := p.round.Get(tx), p.step.Get(tx)
			return tx.Given("PROPOSAL(h,r,v,*)", p.proposedAny(tx, r, v)) &&
				tx.Given("2f+1 PREVOTE(h,r,v)", p.facts.Weight(tx, slot{prevotes, r}, said{v, 0}) >= quorum) &&
				tx.Given("step >= prevote", s >= prevote) &&
				tx.Given("height not decided", s != decided) &&
				tx.Given("first time", p.valid.Get(tx).r != r+1)
		}, func(tx *Tx, p *tend, v value) {
			at := at{v, p.round.Get(tx) + 1}
			if p.step.Get(tx) == prevote {
				p.locked.Set(tx, at)
				p.vote(tx, precommits, v)
			}
			p.valid.Set(tx, at)
		}),

		rule.Upon("L44 nil polka", func(tx *Tx, p *tend) bool {
			return tx.Given("2f+1 PREVOTE(h,r,nil)", p.facts.Weight(tx, slot{prevotes, p.round.Get(tx)}, said{nilVote, 0}) >= quorum) &&
				tx.Given("step = prevote", p.step.Get(tx) == prevote)
		}, func(tx *Tx, p *tend) { p.vote(tx, precommits, nilVote) }),

		rule.For("L49 decide", allBounds, func(tx *Tx, p *tend, b bound) bool {
			return tx.Given("PROPOSAL(h,r',v,*)", p.proposedAny(tx, b.r, b.v)) &&
				tx.Given("2f+1 PRECOMMIT(h,r',v)", p.facts.Weight(tx, slot{precommits, b.r}, said{b.v, 0}) >= quorum) &&
				tx.Given("not decided", p.decision.Get(tx) == noValue)
		}, func(tx *Tx, p *tend, b bound) {
			p.decision.Set(tx, b.v)
			p.step.Set(tx, decided)
		}),

		rule.Upon("L55 skip", func(tx *Tx, p *tend) bool {
			const last = rounds - 1
			return tx.Given("a later round exists", p.round.Get(tx) < last) &&
				tx.Given("f+1 messages of it", p.facts.WeightAny(tx, slot{prevotes, last})+p.facts.WeightAny(tx, slot{precommits, last})-1 >= some) &&
				tx.Given("height not decided", p.step.Get(tx) != decided)
		}, func(tx *Tx, p *tend) { p.startRound(tx, rounds-1) }),

		rule.Upon("L57 timeout propose", func(tx *Tx, p *tend) bool {
			return tx.Given("timer", p.timer.Expired(tx)) && tx.Given("step = propose", p.step.Get(tx) == propose)
		}, func(tx *Tx, p *tend) { p.vote(tx, prevotes, nilVote) }),

		rule.Upon("L61 timeout prevote", func(tx *Tx, p *tend) bool {
			return tx.Given("timer", p.timer.Expired(tx)) &&
				tx.Given("2f+1 PREVOTE(h,r,*)", p.facts.WeightAny(tx, slot{prevotes, p.round.Get(tx)}) >= quorum) &&
				tx.Given("step = prevote", p.step.Get(tx) == prevote)
		}, func(tx *Tx, p *tend) { p.vote(tx, precommits, nilVote) }),

		rule.Upon("L65 timeout precommit", func(tx *Tx, p *tend) bool {
			r := p.round.Get(tx)
			return tx.Given("timer", p.timer.Expired(tx)) &&
				tx.Given("2f+1 PRECOMMIT(h,r,*)", p.facts.WeightAny(tx, slot{precommits, r}) >= quorum) &&
				tx.Given("round in bounds", r+1 < rounds) &&
				tx.Given("height not decided", p.step.Get(tx) != decided)
		}, func(tx *Tx, p *tend) { p.startRound(tx, p.round.Get(tx)+1) }),
	}
}

var errAgreement = errors.New("agreement is violated")

func tendWorld(forget bool, lock func(*rule.Space, string, at) *rule.Var[at]) rule.World[*tend] {
	return rule.World[*tend]{
		Table: rule.Table[*tend]{Name: "tendermint", New: newTend(0, lock), Rules: tendRules(forget)},
		Peers: []rule.Peer{0, 1, 2}, Faulty: []rule.Peer{faulty},
		Invariant: func(tx *rule.Tx, ps []*tend) error {
			d := noValue
			for _, p := range ps {
				if x := p.decision.Get(tx); x != noValue {
					if d != noValue && d != x {
						return errAgreement
					}
					d = x
				}
			}
			return nil
		},
		Goal: func(tx *rule.Tx, ps []*tend) bool {
			for _, p := range ps {
				if p.decision.Get(tx) == noValue {
					return false
				}
			}
			return true
		},
	}
}

func TestTendermintInFull(t *testing.T) {
	t0 := time.Now()
	w := tendWorld(false, rule.Durable[at])
	w.StatesMax = long.N(100_000, 2_000_000)
	r := explore.Run(w)
	if !long.On() {
		require.ErrorIs(t, r.Err, explore.ErrUnfinished)
		require.Positive(t, r.Goals)
		return
	}
	require.NoError(t, r.Err)
	d := time.Since(t0)
	t.Logf("%d states, %d transitions, %d goals, %.2f M transitions/s", r.States, r.Transitions, r.Goals, float64(r.Transitions)/d.Seconds()/1e6)
	require.Equal(t, 1193173, r.States)
	require.Equal(t, 99058, r.Goals)
	require.Equal(t, 3576716, r.Transitions)
}
