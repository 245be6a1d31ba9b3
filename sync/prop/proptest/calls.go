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
	s := k.subject(ctx, sourcesMax)
	var clock atomic.Int64
	calls := make([]call, callers*callsEach)
	err := registry.Run(ctx, func(_ context.Context, scope *registry.Scope) error {
		for c := range callers {
			scope.Go("caller", func(ctx context.Context) error {
				choose := func(n int) int { return env.Choose(ctx, "call", n) }
				for i := range callsEach {
					at := c*callsEach + i
					o := k.draw(choose, at*10, 30)[0]
					begin := clock.Add(1)
					rs, err := s.transact(ctx, []op{o}, commits)
					if err != nil {
						return err
					}
					calls[at] = call{o, rs[0], begin, clock.Add(1)}
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", k.Name, err)
	}
	if !linearizable(k.model(s.sink.Props(), sourcesMax), calls) {
		return fmt.Errorf("%s: not linearizable:\n%s", k.Name, printed(calls))
	}
	return nil
}

const (
	callers   = 3
	callsEach = 6
)

// call is an operation with its result, and when it began and ended.
type call struct {
	op         op
	result     result
	begin, end int64
}

// linearizable reports whether the calls, at most 64, have an order that respects their times and that the model
// explains.
func linearizable(m model, calls []call) bool {
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
				deadline = min(deadline, c.end)
			}
		}
		for i, c := range calls {
			if done&(1<<i) != 0 || c.begin > deadline {
				continue
			}
			next := m.clone()
			if next.do(c.op) == c.result && search(next, done|1<<i) {
				return true
			}
		}
		return false
	}
	return search(m, 0)
}

func printed(calls []call) string {
	var b strings.Builder
	for _, c := range calls {
		fmt.Fprintf(&b, "%3d to %3d: %v gives %v\n", c.begin, c.end, c.op, c.result)
	}
	return b.String()
}
