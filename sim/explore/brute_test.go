package explore

import (
	"context"

	"github.com/synodkit/synod/sim"
)

// brute is a scheduler that tries every decision, one after the other, knowing nothing.
type brute struct {
	path, width []int
	at          int
}

func (b *brute) decide(n int) int {
	if b.at == len(b.path) {
		b.path, b.width = append(b.path, 0), append(b.width, n)
	}
	if b.width[b.at] != n {
		panic("the program is not a function of its schedule")
	}
	b.at++
	return b.path[b.at-1]
}

func (b *brute) Pick(ready []*sim.Task, _ int) int       { return b.decide(len(ready)) }
func (b *brute) Choose(_ *sim.Task, _ string, n int) int { return b.decide(n) }

func (b *brute) next() bool {
	b.path, b.width = b.path[:b.at], b.width[:b.at]
	b.at = 0
	for len(b.path) > 0 {
		last := len(b.path) - 1
		if b.path[last]+1 < b.width[last] {
			b.path[last]++
			return true
		}
		b.path, b.width = b.path[:last], b.width[:last]
	}
	return false
}

// bruteForce runs every schedule, at most max.
func bruteForce(scenario func(ctx context.Context) error, max int, onRun func(r *sim.Report), opts ...sim.Option) (runs int, complete bool) {
	b := new(brute)
	for runs < max {
		r := sim.Run(1, scenario, append(opts, sim.With(b))...)
		runs++
		onRun(r)
		if !b.next() {
			return runs, true
		}
	}
	return runs, false
}
