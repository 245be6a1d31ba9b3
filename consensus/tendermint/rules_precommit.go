package tendermint

import (
	"fmt"

	"github.com/synodkit/synod/consensus/rule"
)

// Lines 47 and 48.
func ruleL47() rule.Rule[*Machine] {
	return rule.Upon("L47 precommits differ", func(tx *rule.Tx, m *Machine) bool {
		return tx.Given("running", m.running(tx)) &&
			tx.Given("for the first time", !m.timeoutPrecommit.Armed(tx)) &&
			tx.Given("2f+1 PRECOMMIT(h,r,*)", m.anyVotes(tx, m.round.Get(tx), Precommit) >= m.quorum())
	}, func(tx *rule.Tx, m *Machine) { m.arm(tx, m.timeoutPrecommit, m.settings.times.precommit) })
}

// running is what "h_p = h" is in the paper: the height has begun and is not decided.
func (m *Machine) running(tx *rule.Tx) bool {
	return m.step.Get(tx) >= propose
}

// roundSaid is a proposal of any round.
type roundSaid struct {
	Round Round
	said
}

// String is the value and the round.
func (s roundSaid) String() string { return fmt.Sprintf("%v r'=%d", s.said, s.Round) }

// everProposed is the domain of L49: what was proposed in rounds that have enough precommits.
func everProposed(tx *rule.Tx, m *Machine) (out []roundSaid) {
	if d := m.settings.explored; d != nil {
		return d.both
	}
	for r := Round(0); r <= m.round.Get(tx)+Round(m.settings.window); r++ {
		if m.anyVotes(tx, r, Precommit) >= m.quorum() {
			for _, s := range m.said.Values(tx, m.at(tx, r, Proposal)) {
				out = append(out, roundSaid{r, s})
			}
		}
	}
	return out
}

// Lines 49 to 51; the rest is L52.
func ruleL49() rule.Rule[*Machine] {
	return rule.For("L49 decide", everProposed, func(tx *rule.Tx, m *Machine, s roundSaid) bool {
		return tx.Given("decision[h] = nil", m.decided.Get(tx) == Value{}) &&
			tx.Given("PROPOSAL(h,r',v,*)", m.proposedEver(tx, s.Round, s.said)) &&
			tx.Given("2f+1 PRECOMMIT(h,r',v)", m.votes(tx, s.Round, Precommit, s.Value) >= m.quorum()) &&
			tx.Given("valid(v)", !s.Invalid)
	}, func(tx *rule.Tx, m *Machine, s roundSaid) { m.decides(tx, s.Value) })
}

// decision tells the host what is decided, and by whose precommits.
type decision struct {
	Height     Height
	Round      Round
	Value      Value
	Precommits []rule.Fact[slot, said] // none if it was learned
}

func (m *Machine) decides(tx *rule.Tx, v Value) {
	m.decided.Set(tx, v)
	m.step.Set(tx, done)
	m.timeoutPropose.Stop(tx)
	m.timeoutPrevote.Stop(tx)
	m.timeoutPrecommit.Stop(tx)
}

// decidedIn is the domain of L50: rounds in which the decision may have its precommits.
func decidedIn(tx *rule.Tx, m *Machine) (rs []Round) {
	if d := m.settings.explored; d != nil {
		return d.rounds
	}
	if m.step.Get(tx) != done {
		return nil
	}
	for r := Round(0); r <= m.round.Get(tx)+Round(m.settings.window); r++ {
		rs = append(rs, r)
	}
	return rs
}

// The host is told once the precommits are there, which after a crash they are only when others have repeated them.
func ruleL50() rule.Rule[*Machine] {
	return rule.For("L50 tell", decidedIn, func(tx *rule.Tx, m *Machine, r Round) bool {
		return tx.Given("not yet told", !m.told.Get(tx)) &&
			tx.Given("decided", m.step.Get(tx) == done) &&
			tx.Given("2f+1 PRECOMMIT(h,r',v)", m.votes(tx, r, Precommit, m.decided.Get(tx)) >= m.quorum())
	}, func(tx *rule.Tx, m *Machine, r Round) {
		v := m.decided.Get(tx)
		m.told.Set(tx, true)
		tx.Send(rule.Host, decision{m.height.Get(tx), r, v, m.said.Facts(tx, m.at(tx, r, Precommit), vote(v))})
	})
}

// A validator that is behind decides by another's certificate, without the messages that led to it.
func ruleLearn() rule.Rule[*Machine] {
	return rule.On("learn", func(tx *rule.Tx, m *Machine, d learned) bool {
		return tx.Given("of this height", d.Height == m.height.Get(tx)) &&
			tx.Given("not yet told", !m.told.Get(tx))
	}, func(tx *rule.Tx, m *Machine, d learned) {
		m.decides(tx, d.Value)
		m.told.Set(tx, true)
		tx.Send(rule.Host, decision{Height: d.Height, Round: d.Round, Value: d.Value})
	})
}

// laterRounds is the domain of L55.
func laterRounds(tx *rule.Tx, m *Machine) (rs []Round) {
	if d := m.settings.explored; d != nil {
		return d.rounds
	}
	for r := m.round.Get(tx) + 1; r <= m.round.Get(tx)+Round(m.settings.window); r++ {
		rs = append(rs, r)
	}
	return rs
}

// heard is the weight of those who have said anything in a round.
func (m *Machine) heard(tx *rule.Tx, r Round) uint64 {
	return m.said.WeightAny(tx, m.at(tx, r, Proposal), m.at(tx, r, Prevote), m.at(tx, r, Precommit))
}

// Lines 55 and 56.
func ruleL55() rule.Rule[*Machine] {
	return rule.For("L55 skip", laterRounds, func(tx *rule.Tx, m *Machine, r Round) bool {
		return tx.Given("running", m.running(tx)) &&
			tx.Given("round > round_p", r > m.round.Get(tx)) &&
			tx.Given("f+1 messages of round", m.heard(tx, r) >= m.some())
	}, func(tx *rule.Tx, m *Machine, r Round) { m.startRound(tx, r) })
}

// Lines 65 to 67.
func ruleL65() rule.Rule[*Machine] {
	return rule.Upon("L65 timeout precommit", func(tx *rule.Tx, m *Machine) bool {
		return tx.Given("running", m.running(tx)) &&
			tx.Given("timeoutPrecommit", m.timeoutPrecommit.Expired(tx)) &&
			tx.Given("set by L47: 2f+1 PRECOMMIT(h,r,*)", m.anyVotes(tx, m.round.Get(tx), Precommit) >= m.quorum())
	}, func(tx *rule.Tx, m *Machine) { m.startRound(tx, m.round.Get(tx)+1) })
}
