package tendermint

import (
	"github.com/synodkit/synod/consensus"
	"github.com/synodkit/synod/consensus/rule"
)

// PlantMajority makes a replica content with more than half where it needs more than two thirds.
func PlantMajority(r *Replica) {
	r.table = func(name string, s settings) rule.Table[*Machine] {
		s.share = consensus.Majority
		return table(name, s)
	}
}

// ForgetfulWorld is World with the same planted bug.
func ForgetfulWorld(b Bounds) rule.World[*Machine] {
	w := World(b)
	w.Table = forgetful(w.Table)
	return w
}

func forgetful(t rule.Table[*Machine]) rule.Table[*Machine] {
	for i, r := range t.Rules {
		switch r.Name() {
		case "L22 new proposal":
			t.Rules[i] = forgetLock(r.Name(), newProposals, func(tx *rule.Tx, m *Machine, s said) bool {
				return m.step.Get(tx) == propose && m.proposed(tx, m.round.Get(tx), s)
			})
		case "L28 old proposal":
			t.Rules[i] = forgetLock(r.Name(), oldProposals, func(tx *rule.Tx, m *Machine, s said) bool {
				return m.step.Get(tx) == propose && s.ValidRound < m.round.Get(tx) && m.proposed(tx, m.round.Get(tx), s) &&
					m.votes(tx, s.ValidRound, Prevote, s.Value) >= m.quorum()
			})
		}
	}
	return t
}

func forgetLock(name string, domain func(*rule.Tx, *Machine) []said, when func(*rule.Tx, *Machine, said) bool) rule.Rule[*Machine] {
	return rule.For(name, domain, when, func(tx *rule.Tx, m *Machine, s said) { m.prevotes(tx, s.Value) })
}
