package rule

import "context"

// Resting reports whether no guard about state holds, evaluating all of them: what a turn's end promises.
func Resting[P any](m *Module[P]) bool {
	for _, a := range m.rules {
		for _, blocked := range why(&a.clause, &m.tx, m.State) {
			if blocked == "" {
				return false
			}
		}
	}
	return true
}

// Idle reports whether nothing waits to be handled.
func Idle[P any](m *Module[P]) bool {
	return len(m.turn.backlog) == 0 && m.inbox.list.Load(context.Background()) == nil
}
