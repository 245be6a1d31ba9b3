package shrink

import (
	"slices"

	"github.com/synodkit/synod/sim"
)

// Schedule looks for a shorter schedule with which fails still holds, in at most tries calls of it. It gives the
// shortest it has found, which may be s, and the number of calls.
func Schedule(s sim.Schedule, tries int, fails func(s sim.Schedule) bool) (sim.Schedule, int) {
	x := &search{best: normal(s), left: tries, fails: fails}
	x.compact(0, len(x.best.Segments))
	x.cut()
	x.compact(0, len(x.best.Segments))
	for x.left > 0 && (x.extend() || x.swap() || x.drop()) {
	}
	x.choices()
	return x.best, tries - x.left
}

// search is a shrinking at work.
type search struct {
	best  sim.Schedule
	left  int
	fails func(s sim.Schedule) bool
}

// try takes the candidate if it fails too. It must be smaller.
func (x *search) try(segments []sim.Segment) bool {
	if x.left <= 0 {
		return false
	}
	x.left--
	s := normal(sim.Schedule{Segments: segments, Choices: x.best.Choices})
	if !x.fails(s) {
		return false
	}
	x.best = s
	return true
}

// compact lets each task take its steps in the range of segments in one go: all at once if that still fails, or else in
// halves. So the few switches that matter are found in a number of tries near their number, not that of all switches.
func (x *search) compact(from, to int) {
	if to-from < 2 {
		return
	}
	for _, byLast := range []bool{false, true} {
		c := slices.Concat(x.best.Segments[:from], grouped(x.best.Segments[from:to], byLast), x.best.Segments[to:])
		if len(normal(sim.Schedule{Segments: c}).Segments) < len(x.best.Segments) && x.try(c) {
			return
		}
	}
	if to-from > 2 {
		middle := (from + to) / 2
		x.compact(middle, to) // first, so that what is before stays where it is
		x.compact(from, middle)
	}
}

// grouped joins the segments of each task, in the order of their first or last steps.
func grouped(segments []sim.Segment, byLast bool) []sim.Segment {
	var out []sim.Segment
	for _, g := range segments {
		i := slices.IndexFunc(out, func(o sim.Segment) bool { return o.Path == g.Path })
		switch {
		case i < 0:
			out = append(out, g)
		case byLast:
			g.N += out[i].N
			out = append(slices.Delete(out, i, i+1), g)
		default:
			out[i].N += g.N
		}
	}
	return out
}

// cut takes out runs of segments, long ones first.
func (x *search) cut() {
	for size := (len(x.best.Segments) + 1) / 2; size >= 1; size /= 2 {
		for i := 0; i+size <= len(x.best.Segments); {
			if !x.try(slices.Delete(slices.Clone(x.best.Segments), i, i+size)) {
				i += size
			}
		}
	}
}

// drop takes out one segment.
func (x *search) drop() bool {
	for i := range x.best.Segments {
		if x.try(slices.Delete(slices.Clone(x.best.Segments), i, i+1)) {
			return true
		}
	}
	return false
}

// forever is more steps than a task takes.
const forever = 1 << 20

// extend lets a task go on as long as it can where it goes on later anyway.
func (x *search) extend() bool {
	for i, g := range x.best.Segments {
		for j := i + 1; j < len(x.best.Segments); j++ {
			if x.best.Segments[j].Path != g.Path {
				continue
			}
			c := slices.Clone(x.best.Segments)
			c[i].N = min(g.N+c[j].N, forever)
			if x.try(slices.Delete(c, j, j+1)) {
				return true
			}
			break
		}
	}
	return false
}

// swap changes the order of neighbours, if that joins segments of one task.
func (x *search) swap() bool {
	for i := 0; i+1 < len(x.best.Segments); i++ {
		c := slices.Clone(x.best.Segments)
		c[i], c[i+1] = c[i+1], c[i]
		if len(normal(sim.Schedule{Segments: c}).Segments) < len(c) && x.try(c) {
			return true
		}
	}
	return false
}

// choices leaves choices to the seed, from the last.
func (x *search) choices() {
	for n := 0; n < len(x.best.Choices) && x.left > 0; n = 2*n + 1 {
		s := x.best
		s.Choices = s.Choices[:n]
		x.left--
		if x.fails(s) {
			x.best = s
			return
		}
	}
}

// normal joins neighbours of one task.
func normal(s sim.Schedule) sim.Schedule {
	out := sim.Schedule{Choices: s.Choices}
	for _, g := range s.Segments {
		if last := len(out.Segments) - 1; last >= 0 && out.Segments[last].Path == g.Path {
			out.Segments[last].N = min(out.Segments[last].N+g.N, forever)
			continue
		}
		out.Segments = append(out.Segments, g)
	}
	return out
}
