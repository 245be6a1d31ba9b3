package table

import (
	"errors"
	"fmt"
	"time"
)

// ErrTable is what every error of Validate wraps.
var ErrTable = errors.New("table: broken protocol")

const (
	statesMax  = 64
	bytesMax   = 16 << 20
	timeoutMax = 24 * time.Hour
)

// Validate proves what the driver relies on. The error names the protocol and the state or message at fault.
func (p *Protocol) Validate() error {
	for _, check := range []func() error{p.checkNames, p.checkStates, p.checkMessages, p.checkAgency, p.checkReachable, p.checkEnds} {
		if err := check(); err != nil {
			return fmt.Errorf("%w %s: %w", ErrTable, p.Name, err)
		}
	}
	return nil
}

func (p *Protocol) checkNames() error {
	switch {
	case p.Name == "":
		return errors.New("no name")
	case p.Version == 0:
		return errors.New("version 0")
	case len(p.States) == 0 || len(p.States) > statesMax:
		return fmt.Errorf("%d states, of 1 to %d", len(p.States), statesMax)
	case p.State(p.Initial) == nil:
		return fmt.Errorf("initial state %q does not exist", p.Initial)
	}
	return nil
}

func (p *Protocol) checkStates() error {
	for i := range p.States {
		s := &p.States[i]
		switch {
		case s.Name == "":
			return fmt.Errorf("state %d has no name", i)
		case p.State(s.Name) != s:
			return fmt.Errorf("two states %q", s.Name)
		case s.Agency > Responder:
			return fmt.Errorf("state %q: agency %d", s.Name, s.Agency)
		case s.Agency == Nobody && (s.BytesMax != 0 || s.Timeout != 0):
			return fmt.Errorf("final state %q has limits", s.Name)
		case s.Agency != Nobody && (s.BytesMax < 1 || s.BytesMax > bytesMax):
			return fmt.Errorf("state %q: BytesMax %d, of 1 to %d", s.Name, s.BytesMax, bytesMax)
		case s.Agency != Nobody && s.Timeout != Forever && (s.Timeout <= 0 || s.Timeout > timeoutMax):
			return fmt.Errorf("state %q: Timeout %v, of more than 0 to %v, or Forever", s.Name, s.Timeout, timeoutMax)
		}
	}
	return nil
}

func (p *Protocol) checkMessages() error {
	for i := range p.Messages {
		m := &p.Messages[i]
		switch {
		case m.Name == "":
			return fmt.Errorf("message %d has no name", m.Tag)
		case m.New == nil || m.New() == nil:
			return fmt.Errorf("message %s: no New", m.Name)
		case m.New().Tag() != m.Tag:
			return fmt.Errorf("message %s: tag %d in the table, %d in the type", m.Name, m.Tag, m.New().Tag())
		case len(m.From) == 0:
			return fmt.Errorf("message %s can be sent in no state", m.Name)
		case p.State(m.To) == nil:
			return fmt.Errorf("message %s: state %q does not exist", m.Name, m.To)
		}
		for _, f := range m.From {
			if err := p.checkFrom(m, f); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Protocol) checkFrom(m *MessageSpec, from StateID) error {
	s := p.State(from)
	switch {
	case s == nil:
		return fmt.Errorf("message %s: state %q does not exist", m.Name, from)
	case s.Agency == Nobody:
		return fmt.Errorf("message %s: nobody has agency in %q", m.Name, from)
	}
	n := 0
	for i := range p.Messages {
		for _, f := range p.Messages[i].From {
			if f == from && p.Messages[i].Tag == m.Tag {
				n++
			}
		}
	}
	if n > 1 {
		return fmt.Errorf("message %s: tag %d is ambiguous in %q", m.Name, m.Tag, from)
	}
	return nil
}

// checkAgency: a state without a message and with agency would wait for ever.
func (p *Protocol) checkAgency() error {
	for i := range p.States {
		s := &p.States[i]
		if s.Agency != Nobody && len(p.next(s.Name)) == 0 {
			return fmt.Errorf("state %q: the %s has agency and no message to send", s.Name, s.Agency)
		}
	}
	return nil
}

func (p *Protocol) checkReachable() error {
	seen := p.reach(p.Initial)
	for i := range p.States {
		if !seen[p.States[i].Name] {
			return fmt.Errorf("state %q cannot be reached", p.States[i].Name)
		}
	}
	return nil
}

func (p *Protocol) checkEnds() error {
	for i := range p.States {
		ends := false
		for id := range p.reach(p.States[i].Name) {
			ends = ends || p.State(id).Agency == Nobody
		}
		if !ends {
			return fmt.Errorf("state %q cannot end", p.States[i].Name)
		}
	}
	return nil
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
