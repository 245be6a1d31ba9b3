package tendermint

import "github.com/synodkit/synod/consensus/rule"

// Lines 34 and 35.
func ruleL34() rule.Rule[*Machine] {
	return rule.Upon("L34 prevotes differ", func(tx *rule.Tx, m *Machine) bool {
		return tx.Given("step = prevote", m.step.Get(tx) == prevote) &&
			tx.Given("for the first time", !m.timeoutPrevote.Armed(tx)) &&
			tx.Given("2f+1 PREVOTE(h,r,*)", m.anyVotes(tx, m.round.Get(tx), Prevote) >= m.quorum())
	}, func(tx *rule.Tx, m *Machine) { m.arm(tx, m.timeoutPrevote, m.settings.times.prevote) })
}

// Lines 36 to 43.
func ruleL36() rule.Rule[*Machine] {
	return rule.For("L36 polka", proposals, func(tx *rule.Tx, m *Machine, s said) bool {
		r := m.round.Get(tx)
		return tx.Given("step >= prevote", m.step.Get(tx) >= prevote) &&
			tx.Given("for the first time", m.valid.Get(tx).Round != r) &&
			tx.Given("PROPOSAL(h,r,v,*)", m.proposedEver(tx, r, s)) &&
			tx.Given("2f+1 PREVOTE(h,r,v)", m.votes(tx, r, Prevote, s.Value) >= m.quorum()) &&
			tx.Given("valid(v)", !s.Invalid)
	}, func(tx *rule.Tx, m *Machine, s said) {
		c := choice{s.Value, m.round.Get(tx)}
		if m.step.Get(tx) == prevote {
			m.locked.Set(tx, c)
			m.precommits(tx, s.Value)
		}
		m.valid.Set(tx, c)
	})
}

// Lines 44 to 46.
func ruleL44() rule.Rule[*Machine] {
	return rule.Upon("L44 nil polka", func(tx *rule.Tx, m *Machine) bool {
		return tx.Given("step = prevote", m.step.Get(tx) == prevote) &&
			tx.Given("2f+1 PREVOTE(h,r,nil)", m.votes(tx, m.round.Get(tx), Prevote, Value{}) >= m.quorum())
	}, func(tx *rule.Tx, m *Machine) { m.precommits(tx, Value{}) })
}

// Lines 61 to 64.
func ruleL61() rule.Rule[*Machine] {
	return rule.Upon("L61 timeout prevote", func(tx *rule.Tx, m *Machine) bool {
		return tx.Given("step = prevote", m.step.Get(tx) == prevote) &&
			tx.Given("timeoutPrevote", m.timeoutPrevote.Expired(tx)) &&
			tx.Given("set by L34: 2f+1 PREVOTE(h,r,*)", m.anyVotes(tx, m.round.Get(tx), Prevote) >= m.quorum())
	}, func(tx *rule.Tx, m *Machine) { m.precommits(tx, Value{}) })
}
