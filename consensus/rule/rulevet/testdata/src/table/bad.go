package table

import "consensus/rule"

func done(*rule.Tx, *proc) {}

func helper(tx *rule.Tx, p *proc) bool {
	return tx.Given("hidden", p.n.Get(tx) < 3) // want `Given outside of the && chain that a guard returns \[given\]`
}

func (p *proc) count(tx *rule.Tx) int {
	p.seen++ // want `assigns to what is not its own \[effect\]`
	return p.seen
}

func (p *proc) reset(tx *rule.Tx) bool {
	p.n.Set(tx, 0) // want `Set in a guard: a guard may only look \[effect\]`
	return true
}

func (p *proc) fill(xs []int) bool {
	xs[0] = 1 // want `assigns to what is not its own`
	return true
}

var calls int

func bad(name string) []rule.Rule[*proc] {
	return []rule.Rule[*proc]{
		rule.Upon("unnamed", func(tx *rule.Tx, p *proc) bool {
			return tx.Given("small", p.n.Get(tx) < 3) && p.n.Get(tx) > 0 // want `a conjunct without a name`
		}, done),
		rule.Upon("helper", func(tx *rule.Tx, p *proc) bool {
			return helper(tx, p) // want `a conjunct without a name: say tx.Given\("...", ...\) \[unnamed\]`
		}, done),
		rule.Upon("or", func(tx *rule.Tx, p *proc) bool {
			return tx.Given("a", p.n.Get(tx) < 3) || tx.Given("b", p.n.Get(tx) > 5) // want `without a name` `outside of the && chain` `outside of the && chain`
		}, done),
		rule.Upon("not", func(tx *rule.Tx, p *proc) bool {
			return !tx.Given("a", p.n.Get(tx) < 3) // want `without a name` `outside of the && chain`
		}, done),
		rule.Upon("apart", func(tx *rule.Tx, p *proc) bool {
			ok := tx.Given("a", p.n.Get(tx) < 3) // want `outside of the && chain`
			return tx.Given("b", ok)
		}, done),
		rule.Upon("twice", func(tx *rule.Tx, p *proc) bool {
			return tx.Given("a", p.n.Get(tx) < 3) && tx.Given("a", p.n.Get(tx) > 0) // want `no name, or that of another`
		}, done),
		rule.Upon("made", func(tx *rule.Tx, p *proc) bool {
			return tx.Given("a"+name, p.n.Get(tx) < 3) // want `made at run time`
		}, done),
		rule.Upon("writes", func(tx *rule.Tx, p *proc) bool {
			calls++        // want `assigns to what is not its own`
			p.seen = 3     // want `assigns to what is not its own`
			p.peers[0] = 1 // want `assigns to what is not its own`
			return tx.Given("counted", p.count(tx) > 0 && p.reset(tx) && p.fill(nil))
		}, done),
		rule.On("sends", func(tx *rule.Tx, p *proc, m int) bool {
			tx.Send(1, m) // want `Send in a guard`
			return tx.Given("m", m > 0)
		}, func(tx *rule.Tx, p *proc, m int) { _ = tx.Given("in an action", true) }), // want `outside of the && chain`
	}
}
