package tendermint

import "github.com/synodkit/synod/consensus/rule"

// proposable is the domain of L14: validValue if there is one, else what getValue() gave.
func proposable(tx *rule.Tx, m *Machine) []said {
	if d := m.settings.explored; d != nil {
		return d.all
	}
	if v := m.valid.Get(tx); !v.none() {
		return []said{{v.Value, v.Round, false}}
	}
	if v := m.ready.Get(tx); v != (Value{}) {
		return []said{{v, NoRound, false}}
	}
	return nil
}

// Lines 14 to 19.
func ruleL14() rule.Rule[*Machine] {
	return rule.For("L14 propose", proposable, func(tx *rule.Tx, m *Machine, s said) bool {
		return tx.Given("step = propose", m.step.Get(tx) == propose) &&
			tx.Given("proposer(h,r) = self", m.leads(tx, m.round.Get(tx))) &&
			tx.Given("not yet proposed", !m.spoke(tx, Proposal)) &&
			tx.Given("v = validValue, if any", m.mayPropose(tx, s.Value)) &&
			tx.Given("vr = validRound", m.valid.Get(tx).Round == s.ValidRound) &&
			tx.Given("valid(v)", !s.Invalid)
	}, func(tx *rule.Tx, m *Machine, s said) { m.say(tx, Proposal, s) })
}

func (m *Machine) mayPropose(tx *rule.Tx, v Value) bool {
	c := m.valid.Get(tx)
	return c.none() || c.Value == v
}

// Lines 22 to 27.
func ruleL22() rule.Rule[*Machine] {
	return rule.For("L22 new proposal", newProposals, func(tx *rule.Tx, m *Machine, s said) bool {
		return tx.Given("step = propose", m.step.Get(tx) == propose) &&
			tx.Given("PROPOSAL(h,r,v,-1)", m.proposed(tx, m.round.Get(tx), s))
	}, func(tx *rule.Tx, m *Machine, s said) {
		if l := m.locked.Get(tx); !s.Invalid && (l.none() || l.Value == s.Value) {
			m.prevotes(tx, s.Value)
		} else {
			m.prevotes(tx, Value{})
		}
	})
}

// Lines 28 to 33.
func ruleL28() rule.Rule[*Machine] {
	return rule.For("L28 old proposal", oldProposals, func(tx *rule.Tx, m *Machine, s said) bool {
		return tx.Given("step = propose", m.step.Get(tx) == propose) &&
			tx.Given("vr < round", s.ValidRound < m.round.Get(tx)) &&
			tx.Given("PROPOSAL(h,r,v,vr)", m.proposed(tx, m.round.Get(tx), s)) &&
			tx.Given("2f+1 PREVOTE(h,vr,v)", m.votes(tx, s.ValidRound, Prevote, s.Value) >= m.quorum())
	}, func(tx *rule.Tx, m *Machine, s said) {
		if l := m.locked.Get(tx); !s.Invalid && (l.Round <= s.ValidRound || l.Value == s.Value) {
			m.prevotes(tx, s.Value)
		} else {
			m.prevotes(tx, Value{})
		}
	})
}

// Lines 57 to 60.
func ruleL57() rule.Rule[*Machine] {
	return rule.Upon("L57 timeout propose", func(tx *rule.Tx, m *Machine) bool {
		return tx.Given("step = propose", m.step.Get(tx) == propose) &&
			tx.Given("timeoutPropose", m.timeoutPropose.Expired(tx))
	}, func(tx *rule.Tx, m *Machine) { m.prevotes(tx, Value{}) })
}
