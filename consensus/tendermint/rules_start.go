package tendermint

import "github.com/synodkit/synod/consensus/rule"

// table is algorithm 1 of the paper. The rules are in the files rules_*.go by phase; their order is that in which they are tried.
func table(name string, c settings) rule.Table[*Machine] {
	return rule.Table[*Machine]{
		Name:    name,
		Version: 1,
		New:     func(s *rule.Space) *Machine { return newMachine(s, c) },
		Rules: []rule.Rule[*Machine]{
			ruleAwake(), ruleStart(), ruleWork(), ruleReady(), ruleNextHeight(),
			ruleL14(), ruleL22(), ruleL28(), ruleL57(),
			ruleL34(), ruleL36(), ruleL44(), ruleL61(),
			ruleL47(), ruleL49(), ruleL50(), ruleLearn(), ruleL55(), ruleL65(),
		},
	}
}

// Messages of the host, which runs the application.
type (
	workReady  struct{ Height Height } // there is something to propose
	valueReady struct {
		Height Height
		Value  Value
	}
	applied struct {
		Height Height
		Last   bool // of its epoch: the validators change
	}
	learned struct { // a decision with its certificate, which was checked
		Height Height
		Round  Round
		Value  Value
	}
)

// After a start, timers are set again. What was said is said again by the pool.
func ruleAwake() rule.Rule[*Machine] {
	return rule.Upon("awake", func(tx *rule.Tx, m *Machine) bool {
		return tx.Given("after a start", !m.awake.Get(tx))
	}, func(tx *rule.Tx, m *Machine) {
		m.awake.Set(tx, true)
		if m.step.Get(tx) == propose {
			m.arm(tx, m.timeoutPropose, m.settings.times.propose)
		}
		m.tell(tx)
	})
}

// A height begins with its first round when there is work, or when somebody else has begun it.
func ruleStart() rule.Rule[*Machine] {
	return rule.Upon("L10 start", func(tx *rule.Tx, m *Machine) bool {
		return tx.Given("step = waiting", m.step.Get(tx) == waiting) &&
			tx.Given("work, or others began", m.work.Get(tx) || m.heard(tx, 0) > 0)
	}, func(tx *rule.Tx, m *Machine) { m.startRound(tx, 0) })
}

func ruleWork() rule.Rule[*Machine] {
	return rule.On("work", func(tx *rule.Tx, m *Machine, w workReady) bool {
		return tx.Given("of this height", w.Height == m.height.Get(tx))
	}, func(tx *rule.Tx, m *Machine, _ workReady) { m.work.Set(tx, true) })
}

// The host answers getValue().
func ruleReady() rule.Rule[*Machine] {
	return rule.On("getValue", func(tx *rule.Tx, m *Machine, v valueReady) bool {
		return tx.Given("of this height", v.Height == m.height.Get(tx))
	}, func(tx *rule.Tx, m *Machine, v valueReady) { m.ready.Set(tx, v.Value) })
}

// Lines 52 to 54: the next height, as soon as the application has applied the decision. In a last height of an epoch the machine ends.
func ruleNextHeight() rule.Rule[*Machine] {
	return rule.On("L52 next height", func(tx *rule.Tx, m *Machine, a applied) bool {
		return tx.Given("of this height", a.Height == m.height.Get(tx)) &&
			tx.Given("decided", m.step.Get(tx) == done)
	}, func(tx *rule.Tx, m *Machine, a applied) {
		h := a.Height + 1
		m.height.Set(tx, h)
		m.round.Set(tx, 0)
		m.step.Set(tx, waiting)
		m.locked.Set(tx, choice{Round: NoRound})
		m.valid.Set(tx, choice{Round: NoRound})
		m.decided.Set(tx, Value{})
		m.told.Set(tx, false)
		m.work.Set(tx, false)
		m.ready.Set(tx, Value{})
		m.said.Floor(tx, slot{Height: h})
		if a.Last {
			tx.End()
			return
		}
		m.tell(tx)
	})
}
