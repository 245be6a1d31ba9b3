package assure

import (
	"fmt"

	"github.com/synodkit/synod/consensus/tendermint"
)

// small worlds find most mutants at once; large ones are for the others.
func small() []tendermint.Bounds {
	return []tendermint.Bounds{
		{Rounds: 1, Values: 2, Proposes: 0},
		{Rounds: 1, Values: 1, Invalid: true, Proposes: 0},
		{Rounds: 1, Values: 1, Invalid: true, Proposes: -1},
		{Rounds: 1, Values: 2, Proposes: 0, Starts: true},
	}
}

// large worlds have a faulty validator that proposes in the second round, in the first, and in none; a smaller one comes first.
func large() []tendermint.Bounds {
	return []tendermint.Bounds{
		{Rounds: 2, Values: 1, Proposes: 1},
		{Rounds: 2, Values: 2, Proposes: 1},
		{Rounds: 2, Values: 2, Proposes: 0},
		{Rounds: 2, Values: 2, Proposes: -1},
	}
}

// listed are the conjuncts whose deletion adds states that nothing objects to, with the reason.
func listed() map[string]string {
	return map[string]string{}
}

// forgotten are the durable Vars, and a world in which forgetting one in a crash shows.
func forgotten() []tendermint.Bounds {
	return []tendermint.Bounds{
		{Rounds: 1, Values: 2, Proposes: 0, Crashes: 1, Forget: "step"},
		{Rounds: 1, Values: 2, Proposes: 0, Crashes: 1, Forget: "decided"},
		{Rounds: 1, Values: 2, Proposes: 0, Crashes: 1, Forget: "valid"},
		{Rounds: 2, Values: 1, Proposes: 0, Crashes: 1, Forget: "round"},
		{Rounds: 2, Values: 2, Proposes: 1, Crashes: 1, Forget: "locked"},
	}
}

func describe(b tendermint.Bounds) string {
	s := fmt.Sprintf("rounds %d, values %d", b.Rounds, b.Values)
	if b.Invalid {
		s += " and one that is not valid"
	}
	if b.Proposes >= 0 {
		s += fmt.Sprintf(", the faulty one proposes in round %d", b.Proposes)
	} else {
		s += ", the faulty one never proposes"
	}
	if b.Crashes > 0 {
		s += fmt.Sprintf(", crashes %d", b.Crashes)
	}
	if b.Starts {
		s += ", validators wait for work first"
	}
	return s
}
