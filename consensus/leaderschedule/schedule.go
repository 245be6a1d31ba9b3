package leaderschedule

import (
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
)

// How far ahead of the clock a header may be and still be waited for: AheadMax slots, or AheadMin of time if that is more. It allows for clocks
// that differ, which short slots do not make better.
const (
	AheadMax chain.Slot = 2
	AheadMin            = 2 * time.Second
)

// headerVersion is the version of the rules that a header's signature speaks of.
const headerVersion = 1

var errSlotZero = errors.New("slot 0 is the genesis's")

// ErrHeader says that a header is not one of the schedule. It is a *[HeaderError].
var ErrHeader = errors.New("leaderschedule: header not by the slot's leader")

// HeaderError says which header is wrong and why. It unwraps to [ErrHeader] and to the reason, such as sign.ErrSignature.
type HeaderError struct {
	Header chain.Tip
	Err    error
}

// Error names the header and the reason.
func (e *HeaderError) Error() string { return fmt.Sprintf("%v: %v: %v", ErrHeader, e.Header, e.Err) }

// Unwrap is ErrHeader and the reason.
func (e *HeaderError) Unwrap() []error { return []error{ErrHeader, e.Err} }

// LaterError is the error of a slot that has not begun, but will soon: wait until At, then all is well.
type LaterError struct {
	Slot chain.Slot
	At   time.Time // the slot's start
}

// Error says until when to wait.
func (e *LaterError) Error() string {
	return fmt.Sprintf("leaderschedule: slot %d begins later, at %v", e.Slot, e.At.Format(time.RFC3339Nano))
}

// TooFarAheadError is the error of a slot further ahead than AheadMax and AheadMin: no clock is that wrong, so whoever made it is.
type TooFarAheadError struct{ Slot, Now chain.Slot }

// Error names both slots.
func (e *TooFarAheadError) Error() string {
	return fmt.Sprintf("leaderschedule: slot %d is more than %d slots and %v ahead of slot %d", e.Slot, AheadMax, AheadMin, e.Now)
}

// Schedule says who may make the block of a slot: the keys of the genesis take turns. An immutable value, safe for concurrent use.
type Schedule struct {
	genesis chain.Genesis
	keys    []sign.PublicKey
	domain  sign.Domain
}

// New is the schedule of a genesis. It must be valid and name no key twice; the error is a *chain.GenesisError.
func New(g chain.Genesis) (*Schedule, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	s := &Schedule{genesis: g, domain: sign.Domain{Kind: "header", Version: headerVersion, Genesis: g.Hash()}}
	first := map[sign.PublicKey]int{}
	for i, raw := range g.Keys {
		key, err := sign.ParsePublicKey(raw)
		if err != nil {
			return nil, &chain.GenesisError{Field: "Keys", Problem: err.Error()}
		}
		if j, twice := first[key]; twice {
			return nil, &chain.GenesisError{Field: "Keys", Problem: fmt.Sprintf("hold the same key at %d and %d", j, i)}
		}
		first[key] = i
		s.keys = append(s.keys, key)
	}
	return s, nil
}

// Genesis is what the schedule was made of.
func (s *Schedule) Genesis() chain.Genesis { return s.genesis }

// Leader is the index in the genesis's keys of the one who may make the block of a slot: slot mod n. Slot 0 has none, though an index.
func (s *Schedule) Leader(slot chain.Slot) int { return int(slot % chain.Slot(len(s.keys))) }

// Key is the key of a leader.
func (s *Schedule) Key(leader int) sign.PublicKey { return s.keys[leader] }

// CheckHeader checks a header by itself: its slot is not the genesis's, and its proof is the signature of the slot's leader over its fields. The
// error is a *HeaderError. It says nothing about what comes before, nor about the time.
func (s *Schedule) CheckHeader(h *chain.Header) error {
	if h.Slot() == 0 {
		return &HeaderError{h.Tip(), errSlotZero}
	}
	leader := s.Leader(h.Slot())
	if err := s.domain.Verify(s.keys[leader], h.Fields().Content(), h.Proof()); err != nil {
		return &HeaderError{h.Tip(), fmt.Errorf("leader %d: %w", leader, err)}
	}
	return nil
}

// CheckTime says whether a slot has begun: nil, or *LaterError if it is at most AheadMax slots or AheadMin ahead, or *TooFarAheadError.
func (s *Schedule) CheckTime(now time.Time, slot chain.Slot) error {
	present, begin := s.genesis.SlotAt(now), s.genesis.SlotStart(slot)
	switch {
	case slot <= present:
		return nil
	case slot-present <= AheadMax || begin.Sub(now) <= AheadMin:
		return &LaterError{slot, begin}
	}
	return &TooFarAheadError{slot, present}
}
