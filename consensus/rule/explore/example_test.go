package explore_test

import (
	"errors"
	"fmt"

	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/consensus/rule/explore"
)

// Two-phase commit, after Gray and Lamport's TwoPhase.tla: process 0 is the manager, the others hold resources.
type party struct {
	id       rule.Peer
	state    *rule.Var[state]
	prepared *rule.Var[uint8] // by the manager: who is
}

type state int8

const (
	working state = iota
	prepared
	committed
	aborted
)

type ( // messages
	ready  struct{}
	commit struct{}
	abort  struct{}
)

const resources = 3

func twoPhase() rule.Table[*party] {
	type Tx = rule.Tx
	manager := func(p *party) bool { return p.id == 0 }
	return rule.Table[*party]{
		Name: "two-phase",
		New: func(s *rule.Space) *party {
			return &party{s.Self(), rule.Durable(s, "state", working), rule.Volatile(s, "prepared", uint8(0))}
		},
		Rules: []rule.Rule[*party]{
			rule.Upon("RMPrepare", func(tx *Tx, p *party) bool {
				return tx.Given("resource", !manager(p)) && tx.Given("working", p.state.Get(tx) == working)
			}, func(tx *Tx, p *party) {
				p.state.Set(tx, prepared)
				tx.Send(0, ready{})
			}),
			rule.Upon("RMChooseToAbort", func(tx *Tx, p *party) bool {
				return tx.Given("resource", !manager(p)) && tx.Given("working", p.state.Get(tx) == working)
			}, func(tx *Tx, p *party) { p.state.Set(tx, aborted) }),
			rule.On("TMRcvPrepared", func(tx *Tx, p *party, _ ready) bool {
				return tx.Given("undecided", p.state.Get(tx) == working)
			}, func(tx *Tx, p *party, _ ready) { p.prepared.Set(tx, p.prepared.Get(tx)|1<<tx.From()) }),
			rule.Upon("TMCommit", func(tx *Tx, p *party) bool {
				return tx.Given("manager", manager(p)) &&
					tx.Given("undecided", p.state.Get(tx) == working) &&
					tx.Given("all prepared", p.prepared.Get(tx) == 1<<(resources+1)-2)
			}, func(tx *Tx, p *party) {
				p.state.Set(tx, committed)
				tx.Send(rule.All, commit{})
			}),
			rule.Upon("TMAbort", func(tx *Tx, p *party) bool {
				return tx.Given("manager", manager(p)) && tx.Given("undecided", p.state.Get(tx) == working)
			}, func(tx *Tx, p *party) {
				p.state.Set(tx, aborted)
				tx.Send(rule.All, abort{})
			}),
			rule.On("RMRcvCommitMsg", func(tx *Tx, p *party, _ commit) bool { return true },
				func(tx *Tx, p *party, _ commit) { p.state.Set(tx, committed) }),
			rule.On("RMRcvAbortMsg", func(tx *Tx, p *party, _ abort) bool { return true },
				func(tx *Tx, p *party, _ abort) { p.state.Set(tx, aborted) }),
		},
	}
}

func twoPhaseWorld() rule.World[*party] {
	return rule.World[*party]{
		Table: twoPhase(), Peers: []rule.Peer{0, 1, 2, 3},
		Invariant: func(tx *rule.Tx, ps []*party) error {
			seen := map[state]bool{}
			for _, p := range ps[1:] {
				seen[p.state.Get(tx)] = true
			}
			if seen[committed] && seen[aborted] {
				return errors.New("committed here, aborted there")
			}
			return nil
		},
		Goal: func(tx *rule.Tx, ps []*party) bool {
			return ps[1].state.Get(tx) == committed && ps[2].state.Get(tx) == committed && ps[3].state.Get(tx) == committed
		},
	}
}

// TLC finds 288 states too.
func ExampleRun() {
	r := explore.Run(twoPhaseWorld())
	fmt.Println(r.States, "states,", r.Goals, "of them with all committed:", r.Err)
	// Output: 288 states, 1 of them with all committed: <nil>
}

// What is each conjunct for? Delete it, and see. Three are alive: nothing here objects to a manager that acts as a resource.
func ExampleMutate() {
	score, err := explore.Mutate(twoPhaseWorld())
	if err != nil {
		panic(err)
	}
	for _, v := range score.Verdicts {
		fmt.Println(v)
	}
	// Output:
	// RMPrepare                resource                             ALIVE
	// RMChooseToAbort          resource                             ALIVE
	// TMCommit                 manager                              redundant
	// TMCommit                 undecided                            killed    world 0, 8 steps: TMCommit changes nothing, so it would fire for ever
	// TMCommit                 all prepared                         killed    world 0, 3 steps: committed here, aborted there
	// TMAbort                  manager                              ALIVE
	// TMAbort                  undecided                            killed    world 0, 2 steps: TMAbort changes nothing, so it would fire for ever
	// RMPrepare                working                              killed    world 0, 2 steps: RMPrepare changes nothing, so it would fire for ever
	// RMChooseToAbort          working                              killed    world 0, 2 steps: RMChooseToAbort changes nothing, so it would fire for ever
	// TMRcvPrepared            undecided                            redundant
}

// How does the protocol fail without one conjunct?
func ExampleWithout() {
	fmt.Println(explore.Without(twoPhaseWorld(), "TMCommit", "all prepared").Err)
	// Output:
	// committed here, aborted there
	//     p0 TMCommit
	//     p1 RMChooseToAbort
	//     p2 RMRcvCommitMsg from p0: explore_test.commit{}
	//   then
	//     p0: state=2 prepared=0
	//     p1: state=3 prepared=0
	//     p2: state=2 prepared=0
	//     p3: state=0 prepared=0
}
