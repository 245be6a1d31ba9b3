package tally

import "github.com/synodkit/synod/stm"

// lanes is the number of parts. More make conflicts rarer and Value dearer.
const lanes = 64

// Counter is a number that is the sum of parts. Make it with New; it must not be copied.
type Counter struct {
	parts [lanes]part
}

// part is a Var, and one that nobody uses beside it in memory: otherwise processors that work on two neighbours would
// take their cache line from each other.
type part struct{ sum, gap *stm.Var[int64] }

// New is a Counter at zero. It may be called anywhere, inside a body too.
func New() *Counter {
	c := new(Counter)
	for i := range c.parts {
		c.parts[i] = part{stm.NewVar[int64](0), stm.NewVar[int64](0)}
	}
	return c
}

// Add adds n, which may be negative.
func (c *Counter) Add(tx *stm.Tx, n int64) {
	v := c.parts[tx.Lane()%lanes].sum
	v.Set(tx, v.Get(tx)+n)
}

// Value is the sum of all that has been added, by tx itself too.
func (c *Counter) Value(tx *stm.Tx) int64 {
	var sum int64
	for i := range c.parts {
		sum += c.parts[i].sum.Get(tx)
	}
	return sum
}

// Label names c's Vars in dumps and traces. It returns c.
func (c *Counter) Label(name string) *Counter {
	for i := range c.parts {
		c.parts[i].sum.Label(name)
	}
	return c
}
