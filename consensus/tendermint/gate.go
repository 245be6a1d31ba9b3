package tendermint

import (
	"errors"
	"fmt"

	"github.com/synodkit/synod/consensus"
)

// Why a message is not let in. [ErrMessage] and ErrRefused are violations by whoever sent it: no correct validator would. The others
// happen between correct ones, and are dropped.
var (
	ErrRefused = errors.New("tendermint: refused")
	ErrStale   = errors.New("tendermint: of no use any more")
	ErrEarly   = errors.New("tendermint: beyond the window")
)

// Limits bound what others can make a validator hold. The zero value has the defaults.
type Limits struct {
	BlockBytes int // default 1 MiB
	Rounds     int // beyond the current one; default 16
	Heights    int // beyond the current one, kept unchecked until their time; default 2
	EarlyBytes int // of those, from each peer; default twice BlockBytes
}

func (l Limits) orDefault() Limits {
	set := func(p *int, d int) {
		if *p <= 0 {
			*p = d
		}
	}
	set(&l.BlockBytes, 1<<20)
	set(&l.Rounds, 16)
	set(&l.Heights, 2)
	set(&l.EarlyBytes, 2*l.BlockBytes)
	return l
}

// at is where a validator is, as far as admission needs to know.
type at struct {
	epoch  uint64
	height Height
	round  Round
	set    *consensus.Set
	leader func(Round) int
}

// gate decides which messages become facts. Each is met by the cheapest check that refuses it; signatures come last, together.
type gate struct {
	limits Limits
	verify consensus.Verifier
	at     at
	seen   map[seat][]sighting
	backed map[backing]consensus.Weight // of those who have voted for a value
	spoken map[Round]consensus.Weight   // of those who have said anything
	let    [][]byte                     // in, in this order
	early  []incoming
	held   map[string]int // bytes of early, by who sent them
}

// incoming is bytes of a peer: a message, or a decision.
type incoming struct {
	from string
	raw  []byte
}

type backing struct {
	kind  Kind
	round Round
	value Value
}

// seat is where an author has one thing to say.
type seat struct {
	kind   Kind
	round  Round
	author int
}

type sighting struct {
	value Value
	valid Round // validRound
	raw   []byte
}

func (s sighting) of(m Message) bool { return s.value == m.Value && s.valid == m.ValidRound }

// twoSayings is how many different messages of one author in one place are let in: the second is the evidence. Others are let in only
// for a value that a correct validator has voted for, since a quorum may need them.
const twoSayings = 2

func newGate(l Limits, v consensus.Verifier) *gate {
	return &gate{limits: l.orDefault(), verify: v, seen: map[seat][]sighting{}, backed: map[backing]consensus.Weight{},
		spoken: map[Round]consensus.Weight{}, held: map[string]int{}}
}

// enter moves the gate to another height and returns what had come for it too early, still unchecked.
func (g *gate) enter(a at) (was []incoming) {
	changed := a.height != g.at.height
	g.at = a
	if !changed {
		return nil
	}
	clear(g.seen)
	clear(g.backed)
	clear(g.spoken)
	clear(g.held)
	was, g.early, g.let = g.early, nil, nil
	return was
}

// admit returns the messages that are facts from now on, in their order, and what was wrong with each of the others.
func (g *gate) admit(ins []incoming) (facts []Message, errs []error) {
	errs = make([]error, len(ins))
	var claims []consensus.Claim
	var from []int
	var open []Message
	for i, in := range ins {
		m, err := g.look(in)
		if err != nil {
			errs[i] = err
			continue
		}
		open, from = append(open, m), append(from, i)
		claims = append(claims, consensus.Claim{Author: g.at.set.At(m.Author).ID, Content: m.Content(), Signature: m.Signature})
	}
	if len(claims) == 0 {
		return nil, errs
	}
	bad := g.verify(claims)
	for i, m := range open {
		if len(bad) > 0 && bad[0] == i {
			bad = bad[1:]
			errs[from[i]] = fmt.Errorf("%w: %v: signature", ErrRefused, m)
			continue
		}
		if err := g.note(m); err != nil { // twice in one batch
			errs[from[i]] = err
			continue
		}
		facts = append(facts, m)
	}
	return facts, errs
}

// look makes the checks that cost no signature, cheapest first.
func (g *gate) look(in incoming) (Message, error) {
	if len(in.raw) > headBytes+g.limits.BlockBytes {
		return Message{}, fmt.Errorf("%w: %d bytes", ErrRefused, len(in.raw))
	}
	m, err := DecodeMessage(in.raw)
	if err != nil {
		return m, err
	}
	switch {
	case m.Height < g.at.height:
		return m, fmt.Errorf("%w: %v at height %d", ErrStale, m, g.at.height)
	case m.Height > g.at.height:
		return m, g.keep(m, in)
	case m.Epoch != g.at.epoch:
		return m, fmt.Errorf("%w: %v: epoch %d instead of %d", ErrRefused, m, m.Epoch, g.at.epoch)
	case m.Author >= g.at.set.Len():
		return m, fmt.Errorf("%w: %v: no member", ErrRefused, m)
	case int64(m.Round) > int64(g.at.round)+int64(g.limits.Rounds):
		return m, fmt.Errorf("%w: %v in round %d", ErrEarly, m, g.at.round)
	case m.Kind == Proposal && m.Author != g.at.leader(m.Round):
		return m, fmt.Errorf("%w: %v: the proposer is %d", ErrRefused, m, g.at.leader(m.Round))
	}
	if err := g.fresh(m); err != nil {
		return m, err
	}
	if m.Kind == Proposal && valueOf(m.Block) != m.Value {
		return m, fmt.Errorf("%w: %v: another block", ErrRefused, m)
	}
	return m, nil
}

// wanted says that a correct member has voted for the message's value.
func (g *gate) wanted(m Message) bool {
	return max(g.backed[backing{Prevote, m.Round, m.Value}], g.backed[backing{Precommit, m.Round, m.Value}]) >= consensus.OneThird(g.at.set.Total())
}

// fresh refuses what is known, and what is too much of one author in one place.
func (g *gate) fresh(m Message) error {
	said := g.seen[seat{m.Kind, m.Round, m.Author}]
	for _, s := range said {
		if s.of(m) {
			return fmt.Errorf("%w: %v is known", ErrStale, m)
		}
	}
	if len(said) >= twoSayings && !g.wanted(m) {
		return fmt.Errorf("%w: %v: its author has contradicted itself", ErrStale, m)
	}
	return nil
}

// note remembers a message that is let in. It asks again whether it is fresh: others may have come with it.
func (g *gate) note(m Message) error {
	if err := g.fresh(m); err != nil {
		return err
	}
	k := seat{m.Kind, m.Round, m.Author}
	w := g.at.set.At(m.Author).Weight
	if !g.spoke(m.Round, m.Author) {
		g.spoken[m.Round] += w
		if m.Round > g.at.round && g.spoken[m.Round] >= consensus.OneThird(g.at.set.Total()) {
			g.at.round = m.Round // the rules will skip to it
		}
	}
	raw := m.Bytes()
	g.let = append(g.let, raw)
	g.seen[k] = append(g.seen[k], sighting{m.Value, m.ValidRound, raw})
	g.backed[backing{m.Kind, m.Round, m.Value}] += w
	return nil
}

func (g *gate) spoke(r Round, author int) bool {
	for k := Proposal; k <= Precommit; k++ {
		if len(g.seen[seat{k, r, author}]) > 0 {
			return true
		}
	}
	return false
}

// polka is the prevotes for a value, to be repeated with a proposal that stands on them.
func (g *gate) polka(r Round, v Value) (raw [][]byte) {
	for i := range g.at.set.Len() {
		for _, s := range g.seen[seat{Prevote, r, i}] {
			if s.value == v {
				raw = append(raw, s.raw)
			}
		}
	}
	return raw
}

// keep holds a message of a later height back, as long as there is room for whoever sent it.
func (g *gate) keep(m Message, in incoming) error {
	if m.Height-g.at.height > Height(g.limits.Heights) || g.held[in.from]+len(in.raw) > g.limits.EarlyBytes {
		return fmt.Errorf("%w: %v at height %d", ErrEarly, m, g.at.height)
	}
	g.held[in.from] += len(in.raw)
	g.early = append(g.early, in)
	return fmt.Errorf("%w: %v is kept", ErrEarly, m)
}
