package table

import (
	"fmt"
	"time"
)

// Agency is the side that may send. A session's role is an Agency too: Initiator (opened the stream) or Responder.
type Agency uint8

// The sides. Nobody has agency in a final state.
const (
	Nobody Agency = iota
	Initiator
	Responder
)

// String is the side's name.
func (a Agency) String() string {
	switch a {
	case Initiator:
		return "initiator"
	case Responder:
		return "responder"
	}
	return "nobody"
}

// StateID names a state within its protocol.
type StateID string

// Message is one message of a protocol. An implementation is a pointer to a plain struct.
type Message interface {
	// Tag is the byte that tells the message on the wire; a constant of the type.
	Tag() byte
	// AppendTo appends the body in its one canonical encoding: nothing at all for a message without fields.
	AppendTo(b []byte) ([]byte, error)
	// ParseFrom sets the message from a whole body, refuses all but the canonical encoding, never panics, and keeps
	// no part of b.
	ParseFrom(b []byte) error
}

// Forever is the Timeout of a state in which the peer may rest as long as it likes. Say it only where some other session with
// the peer (keepalive) tells whether it lives.
const Forever time.Duration = 1<<63 - 1

// State is one state of a protocol and what holds there for whoever has agency.
type State struct {
	Name     StateID
	Agency   Agency
	BytesMax int           // largest frame: tag and body. Zero in a final state
	Timeout  time.Duration // how long the receiver waits for one message, to 1.25 times this. Zero in a final state
	Spread   time.Duration // each session adds a share of this to Timeout, at random, so that sessions do not expire together
}

// MessageSpec says in which states a message may be sent (by the side with agency there) and where it leads. A message that leads to
// several states, or has several rules, depending on where it is sent, has several specs of the same tag, name and type.
type MessageSpec struct {
	Tag   byte
	Name  string
	From  []StateID
	To    StateID
	New   func() Message // an empty one to parse into
	Rules []Rule         // in the order in which they are applied
}

// Protocol is the table.
type Protocol struct {
	Name     string
	Version  uint16
	Initial  StateID
	States   []State
	Messages []MessageSpec
	Values   []Value // what the rules of messages speak of
}

// ID is the identifier under which streams of this protocol are opened.
func (p *Protocol) ID() string { return fmt.Sprintf("/synod/%s/%d", p.Name, p.Version) }

// State is the state of that name, or nil.
func (p *Protocol) State(id StateID) *State {
	for i := range p.States {
		if p.States[i].Name == id {
			return &p.States[i]
		}
	}
	return nil
}

// Find is the message with that tag that may be sent in that state, or nil.
func (p *Protocol) Find(from StateID, tag byte) *MessageSpec {
	for i := range p.Messages {
		m := &p.Messages[i]
		if m.Tag != tag {
			continue
		}
		for _, f := range m.From {
			if f == from {
				return m
			}
		}
	}
	return nil
}
