package proptest

import (
	"context"
	"fmt"
	"math/bits"
	"strings"
	"sync/atomic"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
)

// Calls makes calls that do not wait on several tasks at once and looks for an order of them, within their times, in
// which the model gives the same. It is meant for production, where calls overlap.
func (k Kit) Calls(ctx context.Context) error {
	h, err := k.History(ctx, callers, callsEach)
	if err == nil && !h.Linearizable() {
		err = fmt.Errorf("%s: not linearizable:\n%s", k.Name, printed(h.Calls))
	}
	return err
}

const (
	callers   = 3
	callsEach = 6
)

// History is what calls have returned, and the sequential specification that follows from Props: what another checker
// needs. States are models, to be told apart by Key.
type History struct {
	Calls []Call
	model model
}

// Call is an operation with its result, and when it began and ended.
type Call struct {
	Caller     int
	In, Out    any // an op and its result
	Begin, End int64
}

// History makes a number of calls on each of a number of tasks.
func (k Kit) History(ctx context.Context, callers, each int) (*History, error) {
	s := k.subject(ctx, sourcesMax)
	var clock atomic.Int64
	h := &History{make([]Call, callers*each), k.model(s.sink.Props(), sourcesMax)}
	err := registry.Run(ctx, func(_ context.Context, scope *registry.Scope) error {
		for c := range callers {
			scope.Go("caller", func(ctx context.Context) error {
				choose := func(n int) int { return env.Choose(ctx, "call", n) }
				for i := range each {
					at := c*each + i
					o := k.draw(choose, at*10, 5*each)[0]
					begin := clock.Add(1)
					rs, err := s.transact(ctx, []op{o}, commits)
					if err != nil {
						return err
					}
					h.Calls[at] = Call{c, o, rs[0], begin, clock.Add(1)}
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.Name, err)
	}
	return h, nil
}

// Init is the first state.
func (h *History) Init() any { return h.model.clone() }

// Step says whether in may give out in a state, and which state follows.
func (h *History) Step(state, in, out any) (bool, any) {
	next := state.(model).clone()
	return next.do(in.(op)) == out.(result), next
}

// Key tells states apart.
func (h *History) Key(state any) string { m := state.(model); return m.key() }

// Linearizable reports whether the calls, at most 64, have an order that respects their times and that the model
// explains.
func (h *History) Linearizable() bool { return linearizable(h.model, h.Calls) }

func linearizable(m model, calls []Call) bool {
	seen := map[string]bool{}
	var search func(m model, done uint64) bool
	search = func(m model, done uint64) bool {
		if bits.OnesCount64(done) == len(calls) {
			return true
		}
		key := fmt.Sprint(done, m.key())
		if seen[key] {
			return false
		}
		seen[key] = true
		deadline := int64(1<<63 - 1) // nobody may come after a call that has ended before it began
		for i, c := range calls {
			if done&(1<<i) == 0 {
				deadline = min(deadline, c.End)
			}
		}
		for i, c := range calls {
			if done&(1<<i) != 0 || c.Begin > deadline {
				continue
			}
			next := m.clone()
			if next.do(c.In.(op)) == c.Out.(result) && search(next, done|1<<i) {
				return true
			}
		}
		return false
	}
	return search(m, 0)
}

func printed(calls []Call) string {
	var b strings.Builder
	for _, c := range calls {
		fmt.Fprintf(&b, "%3d to %3d: %v gives %v\n", c.Begin, c.End, c.In, c.Out)
	}
	return b.String()
}
