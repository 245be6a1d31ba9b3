package explore_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/consensus/rule/explore"
)

// dice is one process with a few Vars, and whatever rules a test gives it.
type dice struct {
	n    *rule.Var[int8]
	text *rule.Var[string] // interned
	log  *rule.Log[int8]
	t    *rule.Timer
}

func newDice(s *rule.Space) *dice {
	return &dice{rule.Durable(s, "n", int8(0)), rule.Volatile(s, "text", ""), rule.NewLog[int8](s, "log"), s.Timer("t")}
}

func diceWorld(rs ...rule.Rule[*dice]) rule.World[*dice] {
	return rule.World[*dice]{Table: rule.Table[*dice]{Name: "dice", New: newDice, Rules: rs}, Peers: []rule.Peer{4}}
}

func below(n int8) func(*rule.Tx, *dice) bool {
	return func(tx *rule.Tx, d *dice) bool { return tx.Given("below", d.n.Get(tx) < n) }
}

func inc(tx *rule.Tx, d *dice) { d.n.Set(tx, d.n.Get(tx)+1) }

func TestContracts(t *testing.T) {
	step := rule.Upon("step", below(5), inc)
	grows := func(before, after *rule.Tx, d *dice) bool { return d.n.Get(after) == d.n.Get(before)+1 }
	r := explore.Run(diceWorld(step.Requires("small", func(tx *rule.Tx, d *dice) bool { return d.n.Get(tx) < 5 }).Ensures("one more", grows)))
	require.NoError(t, r.Err)
	require.Equal(t, 6, r.States)
	require.Equal(t, map[string]int{"step": 5}, r.Fired)
	require.Equal(t, 5, r.Depth)

	r = explore.Run(diceWorld(step.Requires("smaller", func(tx *rule.Tx, d *dice) bool { return d.n.Get(tx) < 3 })))
	require.ErrorContains(t, r.Err, "step requires smaller")
	var v *explore.Violation
	require.ErrorAs(t, r.Err, &v)
	require.Len(t, v.Story, 4)

	r = explore.Run(diceWorld(rule.Upon("leap", below(5), func(tx *rule.Tx, d *dice) { d.n.Set(tx, d.n.Get(tx)+2) }).Ensures("one more", grows)))
	require.ErrorContains(t, r.Err, "leap ensures one more")
}

// Before and after are seen of interned values and logs too.
func TestContractsOnInternedValues(t *testing.T) {
	r := explore.Run(diceWorld(rule.Upon("write", func(tx *rule.Tx, d *dice) bool { return tx.Given("short", len(d.text.Get(tx)) < 3) }, func(tx *rule.Tx, d *dice) {
		d.text.Set(tx, d.text.Get(tx)+"x")
		d.log.Append(tx, int8(len(d.text.Get(tx))))
	}).Ensures("both longer", func(before, after *rule.Tx, d *dice) bool {
		return len(d.text.Get(after)) == len(d.text.Get(before))+1 && d.log.Last(after) == d.log.Last(before)+1
	})))
	require.NoError(t, r.Err)
	require.Equal(t, 4, r.States)
}

func TestRuleThatChangesNothingIsFound(t *testing.T) {
	r := explore.Run(diceWorld(rule.Upon("idle", below(5), func(tx *rule.Tx, d *dice) { d.n.Set(tx, d.n.Get(tx)) })))
	require.ErrorContains(t, r.Err, "idle changes nothing")

	r = explore.Run(diceWorld(rule.Upon("arm", below(5), func(tx *rule.Tx, d *dice) { d.t.Arm(tx, 1) })))
	require.NoError(t, r.Err, "to arm a timer is something")
}

// A guard that is not total without one of its conjuncts is a mistake in the table, and told apart.
func TestPartialGuardIsFound(t *testing.T) {
	w := diceWorld(rule.Upon("look", func(tx *rule.Tx, d *dice) bool {
		return tx.Given("in bounds", d.n.Get(tx) < 2) && tx.Given("true", []bool{true, true}[d.n.Get(tx)])
	}, inc))
	score, err := explore.Mutate(w)
	require.NoError(t, err)
	require.Equal(t, 1, score.Count(explore.Panics))
	require.ErrorIs(t, score.Verdicts[0].Err, explore.ErrPanic)
	require.ErrorContains(t, score.Verdicts[0].Err, "p4 look")
}

func TestBoundsAreDeclared(t *testing.T) {
	w := diceWorld(rule.Upon("step", func(*rule.Tx, *dice) bool { return true }, func(tx *rule.Tx, d *dice) { d.log.Append(tx, 1) }))
	w.StatesMax = 50
	require.ErrorIs(t, explore.Run(w).Err, explore.ErrUnfinished)
	w.Bound = func(tx *rule.Tx, ds []*dice) bool { return ds[0].log.Last(tx) <= 10 }
	r := explore.Run(w)
	require.NoError(t, r.Err)
	require.Equal(t, 11, r.States)
	require.Equal(t, 1, r.Cut)
}

func TestInitialStateIsJudged(t *testing.T) {
	bad := errors.New("bad from the start")
	w := diceWorld(rule.Upon("step", below(1), inc))
	w.Invariant = func(*rule.Tx, []*dice) error { return bad }
	r := explore.Run(w)
	require.ErrorIs(t, r.Err, bad)
	var v *explore.Violation
	require.ErrorAs(t, r.Err, &v)
	require.Empty(t, v.Story)
	require.Equal(t, []string{"p4: n=0 log=0[]"}, v.State)
}

// A crash keeps what is durable and nothing else.
func TestCrash(t *testing.T) {
	w := diceWorld(rule.Upon("step", below(2), func(tx *rule.Tx, d *dice) {
		inc(tx, d)
		d.text.Set(tx, d.text.Get(tx)+"x")
		d.log.Append(tx, d.n.Get(tx))
	}))
	w.Crashes = 1
	seen := map[string]bool{}
	w.Invariant = func(tx *rule.Tx, ds []*dice) error {
		d := ds[0]
		seen[fmt.Sprint(d.n.Get(tx), d.text.Get(tx), d.log.Last(tx))] = true
		return nil
	}
	require.NoError(t, explore.Run(w).Err)
	require.Equal(t, map[string]bool{"00": true, "1x1": true, "2xx2": true, "11": true, "2x2": true, "22": true}, seen)
}

// Vectors grow by themselves: more messages and more slots than there is room for at first.
func TestVectorGrows(t *testing.T) {
	type talk struct{ N int16 }
	type chatty struct {
		n, heard *rule.Var[int16]
		facts    *rule.Pool[int16, int8]
	}
	w := rule.World[*chatty]{
		Table: rule.Table[*chatty]{Name: "chatty", New: func(s *rule.Space) *chatty {
			return &chatty{rule.Durable(s, "n", int16(0)), rule.Durable(s, "heard", int16(0)), rule.NewPool[int16, int8](s, "facts", rule.Limits[int16]{Authors: 2})}
		}, Rules: []rule.Rule[*chatty]{
			rule.Upon("talk", func(tx *rule.Tx, c *chatty) bool { return tx.Given("not done", c.n.Get(tx) < 100) }, func(tx *rule.Tx, c *chatty) {
				c.n.Set(tx, c.n.Get(tx)+1)
				c.facts.Say(tx, c.n.Get(tx), 1)
				tx.Send(rule.All, talk{c.n.Get(tx)})
			}),
			rule.On("hear", func(tx *rule.Tx, c *chatty, m talk) bool { return tx.Given("next", m.N == c.heard.Get(tx)+1) },
				func(tx *rule.Tx, c *chatty, m talk) { c.heard.Set(tx, m.N) }),
		}},
		Peers: []rule.Peer{0}, // hears nobody
	}
	r := explore.Run(w)
	require.NoError(t, r.Err)
	require.Equal(t, 101, r.States)

	w.MessagesMax = 70
	require.ErrorContains(t, explore.Run(w).Err, "more than 70 different messages")
}

// Own equivocation needs no invariant.
func TestSayingTwoThingsIsFound(t *testing.T) {
	type liar struct {
		n     *rule.Var[int8]
		votes *rule.Pool[int8, int8]
	}
	r := explore.Run(rule.World[*liar]{Table: rule.Table[*liar]{Name: "liar", New: func(s *rule.Space) *liar {
		return &liar{rule.Durable(s, "n", int8(0)), rule.NewPool[int8, int8](s, "votes", rule.Limits[int8]{Authors: 1})}
	}, Rules: []rule.Rule[*liar]{
		rule.Upon("vote", func(tx *rule.Tx, l *liar) bool { return tx.Given("again", l.n.Get(tx) < 2) }, func(tx *rule.Tx, l *liar) {
			l.n.Set(tx, l.n.Get(tx)+1)
			l.votes.Say(tx, 0, l.n.Get(tx))
		}),
	}}, Peers: []rule.Peer{0}})
	require.ErrorContains(t, r.Err, "p0: says 2 after 1 in votes 0")
}

func TestConjuncts(t *testing.T) {
	cs := explore.Conjuncts(twoPhaseWorld(), 1000)
	require.Len(t, cs, 10)
	require.Contains(t, cs, explore.Conjunct{Rule: "TMCommit", Name: "all prepared"})
	require.NotContains(t, explore.Conjuncts(twoPhaseWorld(), 1), explore.Conjunct{Rule: "TMRcvPrepared", Name: "undecided"}, "nothing was said yet")
}
