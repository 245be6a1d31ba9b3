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

// Guard is the guard of a rule about state, to be evaluated as a turn does.
func Guard[P any](m *Module[P], name string) func() bool {
	for _, a := range m.rules {
		if a.name == name {
			return func() bool { return a.when(&m.tx, m.State, 0) }
		}
	}
	return nil
}
