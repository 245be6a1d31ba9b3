package table

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrTable is what every error of Validate wraps.
var ErrTable = errors.New("table: broken protocol")

const (
	statesMax  = 64
	bytesMax   = 16 << 20
	timeoutMax = 24 * time.Hour
)

// Validate proves what the driver relies on. The error names the protocol and, a line each, every state, message and value at fault, as far as
// one fault does not hide others.
func (p *Protocol) Validate() error {
	for _, checks := range [][]func() faults{
		{p.checkNames, p.checkStates},
		{p.checkMessages, p.checkOneToOne, p.checkValues, p.checkRules},
		{p.checkFrames, p.checkAgency, p.checkReachable, p.checkEnds},
	} {
		var all faults
		for _, check := range checks {
			all = append(all, check()...)
		}
		if len(all) > 0 {
			return fmt.Errorf("%w %s: %w", ErrTable, p.Name, all)
		}
	}
	return nil
}

// faults are the sentences that say what is wrong.
type faults []string

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

// Error is one line for one fault, and a line each for several.
func (f faults) Error() string {
	if len(f) == 1 {
		return f[0]
	}
	return fmt.Sprintf("%d faults\n\t%s", len(f), strings.Join(f, "\n\t"))
}

func (p *Protocol) checkNames() (f faults) {
	if p.Name == "" {
		f.add("no name")
	}
	if p.Version == 0 {
		f.add("version 0")
	}
	if len(p.States) == 0 || len(p.States) > statesMax {
		f.add("%d states, of 1 to %d", len(p.States), statesMax)
	}
	if p.State(p.Initial) == nil {
		f.add("initial state %q does not exist", p.Initial)
	}
	return f
}

func (p *Protocol) checkStates() (f faults) {
	for i := range p.States {
		s := &p.States[i]
		switch {
		case s.Name == "":
			f.add("state %d has no name", i)
		case p.State(s.Name) != s:
			f.add("two states %q", s.Name)
		case s.Agency > Responder:
			f.add("state %q: agency %d", s.Name, s.Agency)
		case s.Agency == Nobody:
			if s.BytesMax != 0 || s.Timeout != 0 || s.Spread != 0 {
				f.add("final state %q has limits", s.Name)
			}
		default:
			s.checkLimits(&f)
		}
	}
	return f
}

func (s *State) checkLimits(f *faults) {
	if s.BytesMax < 1 || s.BytesMax > bytesMax {
		f.add("state %q: BytesMax %d, of 1 to %d", s.Name, s.BytesMax, bytesMax)
	}
	switch {
	case s.Timeout == Forever && s.Spread != 0:
		f.add("state %q: Spread %v beside Forever", s.Name, s.Spread)
	case s.Timeout == Forever:
	case s.Timeout <= 0 || s.Timeout > timeoutMax:
		f.add("state %q: Timeout %v, of more than 0 to %v, or Forever", s.Name, s.Timeout, timeoutMax)
	case s.Spread < 0 || s.Spread > timeoutMax-s.Timeout:
		f.add("state %q: Spread %v, of 0 to %v less Timeout", s.Name, s.Spread, timeoutMax)
	}
}

func (p *Protocol) checkMessages() (f faults) {
	for i := range p.Messages {
		m := &p.Messages[i]
		if m.Name == "" {
			f.add("message %d has no name", m.Tag)
		}
		switch {
		case m.New == nil || m.New() == nil:
			f.add("message %s: no New", m.Name)
		case m.New().Tag() != m.Tag:
			f.add("message %s: tag %d in the table, %d in the type", m.Name, m.Tag, m.New().Tag())
		}
		if p.State(m.To) == nil {
			f.add("message %s: state %q does not exist", m.Name, m.To)
		}
		if len(m.From) == 0 {
			f.add("message %s can be sent in no state", m.Name)
		}
		for _, from := range m.From {
			p.checkFrom(&f, m, from)
		}
	}
	return f
}

func (p *Protocol) checkFrom(f *faults, m *MessageSpec, from StateID) {
	switch s := p.State(from); {
	case s == nil:
		f.add("message %s: state %q does not exist", m.Name, from)
		return
	case s.Agency == Nobody:
		f.add("message %s: nobody has agency in %q", m.Name, from)
		return
	}
	n := 0
	for i := range p.Messages {
		for _, other := range p.Messages[i].From {
			if other == from && p.Messages[i].Tag == m.Tag {
				n++
			}
		}
	}
	if n > 1 {
		f.add("message %s: tag %d is ambiguous in %q", m.Name, m.Tag, from)
	}
}

// checkOneToOne: a tag, a name and a type mean one another wherever they stand, so that a message is the same for who reads the table, the
// wire or the code.
func (p *Protocol) checkOneToOne() (f faults) {
	for i := range p.Messages {
		for j := range i {
			a, b := &p.Messages[j], &p.Messages[i]
			if a.New == nil || b.New == nil {
				continue // reported
			}
			tag, name, same := a.Tag == b.Tag, a.Name == b.Name, sameType(a.New(), b.New())
			if tag == name && name == same {
				continue
			}
			f.add("messages %s (tag %d, %T) and %s (tag %d, %T): tag, name and type must be the same, or all differ",
				a.Name, a.Tag, a.New(), b.Name, b.Tag, b.New())
		}
	}
	return f
}

// checkFrames: a limit that not even an empty message keeps would be noticed by the first that is sent.
func (p *Protocol) checkFrames() (f faults) {
	for i := range p.Messages {
		m := &p.Messages[i]
		body, err := m.New().AppendTo(nil)
		if err != nil {
			continue // it has no empty form
		}
		for _, from := range m.From {
			if s := p.State(from); len(body)+1 > s.BytesMax {
				f.add("message %s: an empty one has %d bytes, state %q lets %d pass", m.Name, len(body)+1, from, s.BytesMax)
			}
		}
	}
	return f
}
