package table

import "reflect"

// sameType says whether two messages have the same Go type.
func sameType(a, b Message) bool { return reflect.TypeOf(a) == reflect.TypeOf(b) }

// checkAgency: a state without a message and with agency would wait for ever.
func (p *Protocol) checkAgency() (f faults) {
	for i := range p.States {
		s := &p.States[i]
		if s.Agency != Nobody && len(p.next(s.Name)) == 0 {
			f.add("state %q: the %s has agency and no message to send", s.Name, s.Agency)
		}
	}
	return f
}

func (p *Protocol) checkReachable() (f faults) {
	seen := p.reach(p.Initial)
	for i := range p.States {
		if id := p.States[i].Name; !seen[id] {
			f.add("state %q cannot be reached from %q", id, p.Initial)
		}
	}
	return f
}

func (p *Protocol) checkEnds() (f faults) {
	for i := range p.States {
		ends := false
		for id := range p.reach(p.States[i].Name) {
			ends = ends || p.State(id).Agency == Nobody
		}
		if !ends {
			f.add("state %q cannot end: no messages lead from it to a final state", p.States[i].Name)
		}
	}
	return f
}

// next lists the states that one message leads to.
func (p *Protocol) next(from StateID) (to []StateID) {
	for i := range p.Messages {
		for _, f := range p.Messages[i].From {
			if f == from {
				to = append(to, p.Messages[i].To)
			}
		}
	}
	return to
}

// reach is every state that can follow from, itself included.
func (p *Protocol) reach(from StateID) map[StateID]bool {
	seen := map[StateID]bool{from: true}
	for todo := []StateID{from}; len(todo) > 0; todo = todo[1:] {
		for _, to := range p.next(todo[0]) {
			if !seen[to] {
				seen[to] = true
				todo = append(todo, to)
			}
		}
	}
	return seen
}
