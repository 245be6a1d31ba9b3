package explore

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/synodkit/synod/consensus/rule"
)

// Fate is what became of a mutant.
type Fate string

// The fates.
const (
	Killed    Fate = "killed"    // some world's invariant, contract or promise does not hold without the conjunct
	Redundant Fate = "redundant" // every world has the same states without it
	Alive     Fate = "ALIVE"     // there are other states, and nothing objects to them: what it is for is not stated
	Panics    Fate = "PANICS"    // a guard is not total without it: a mistake in the table
)

// Verdict is the fate of one conjunct's deletion.
type Verdict struct {
	Rule, Conjunct string
	Fate           Fate
	World          int // the first in which it was killed
	Err            error
	States         int // seen until then, in that world; of all worlds, if it was not killed
}

// String is one line.
func (v Verdict) String() string {
	line := fmt.Sprintf("%-24s %-36s %-9s", v.Rule, v.Conjunct, v.Fate)
	var why *Violation
	if errors.As(v.Err, &why) {
		line += fmt.Sprintf(" world %d, %d steps: %v", v.World, len(why.Story), why.Err)
	}
	return strings.TrimRight(line, " ")
}

// Score is the verdicts on all conjuncts of a table, in the order in which they were first evaluated.
type Score struct {
	Unmutated []Result // world by world
	Verdicts  []Verdict
}

// Count is how many have a fate.
func (s Score) Count(f Fate) (n int) {
	for _, v := range s.Verdicts {
		if v.Fate == f {
			n++
		}
	}
	return n
}

// Mutate deletes every named conjunct in turn and looks at all worlds, of one table with different surroundings. It
// fails if the table does without any deletion. A conjunct that no state evaluates has no verdict.
func Mutate[P any](worlds ...rule.World[P]) (Score, error) {
	var sc Score
	var all []Conjunct
	for i, w := range worlds {
		cs, r := conjuncts(w)
		for _, c := range cs {
			if !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
		if r.Err != nil {
			return sc, fmt.Errorf("explore: world %d without a mutation: %w", i, r.Err)
		}
		sc.Unmutated = append(sc.Unmutated, r)
	}
	for _, c := range all {
		sc.Verdicts = append(sc.Verdicts, judge(worlds, sc.Unmutated, c.Rule, c.Name))
	}
	return sc, nil
}

// Conjunct is a named conjunct of a rule's guard.
type Conjunct struct{ Rule, Name string }

// Conjuncts are those that are evaluated in the first statesMax states of w, in the order of their first evaluation.
func Conjuncts[P any](w rule.World[P], statesMax int) []Conjunct {
	w.StatesMax = statesMax
	cs, _ := conjuncts(w)
	return cs
}

func conjuncts[P any](w rule.World[P]) (cs []Conjunct, r Result) {
	known := map[Conjunct]bool{}
	r = run(w, func(m *rule.Machine[P]) {
		m.Conjuncts(func(rule, name string) {
			if c := (Conjunct{rule, name}); !known[c] {
				known[c] = true
				cs = append(cs, c)
			}
		})
	})
	return cs, r
}

// judge deletes one conjunct.
func judge[P any](worlds []rule.World[P], base []Result, name, conjunct string) Verdict {
	v := Verdict{Rule: name, Conjunct: conjunct, Fate: Redundant}
	for i, w := range worlds {
		r := Without(w, name, conjunct)
		v.States += r.States
		switch {
		case errors.Is(r.Err, ErrPanic):
			return Verdict{name, conjunct, Panics, i, r.Err, r.States}
		case errors.Is(r.Err, ErrUnfinished):
			v.Fate = Alive
		case r.Err != nil:
			return Verdict{name, conjunct, Killed, i, r.Err, r.States}
		case r.States != base[i].States: // a deletion only adds steps: as many states are the same states
			v.Fate = Alive
		}
	}
	return v
}
