package tendermint

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/sync/prop"
)

// ErrForked says that more than a third of the weight is faulty: there are two decisions, or the application's state differs from that of
// the others. The replica stops.
var ErrForked = errors.New("tendermint: agreement is lost")

// host surrounds the rules of one replica: admission, signatures, blocks, the application. All of it is one task's.
type host struct {
	*Replica
	tip     tip
	gate    *gate
	rules   *rule.Module[*Machine] // nil: not a member of this epoch
	leaders *sequence
	self    int
	member  bool

	blocks  map[Value]candidate // of the next height
	learned *Decision           // of the next height, checked
	rest    []incoming          // that came before this height or epoch began
	later   []incoming          // decisions of later heights
	backlog []rule.Message      // that the rules have said meanwhile
	accused []Accusation        // for the next block
	waiting bool                // for work
	due     time.Time           // when an empty block is due
	again   time.Time           // when to say everything again
	patient time.Duration       // how long that was put off
}

// candidate is a block that was proposed.
type candidate struct {
	raw   []byte
	block Block
}

// enter begins the next height.
func (h *host) enter(ctx context.Context) error {
	h.waiting, h.learned, h.blocks = false, nil, map[Value]candidate{}
	h.rest, h.later = append(h.later, h.rest...), nil
	next := h.tip.height + 1
	for e, err := range h.config.Store.Scan(blockKey(next, Value{}), blockKey(next+1, Value{})) {
		if err != nil {
			return err
		}
		if b, err := DecodeBlock(e.Value); err == nil {
			h.blocks[valueOf(e.Value)] = candidate{e.Value, b}
		}
	}
	err := stm.Do(ctx, func(tx *stm.Tx) error { h.feed.Set(tx, h.feed.Get(tx).cut()); return nil })
	if err != nil {
		return err
	}
	h.patient = h.config.Propose.Timeout(0) + h.config.Prevote.Timeout(0) + h.config.Precommit.Timeout(0)
	h.again = env.Now(ctx).Add(h.patient)
	at := at{epoch: h.tip.epoch, height: next, set: h.tip.set(), leader: func(r Round) int { return h.leaders.of(next, r) }}
	return h.admit(ctx, h.gate.enter(at))
}

// serve deals with what happens until the epoch is over.
func (h *host) serve(ctx context.Context) error {
	epoch := h.tip.epoch
	for h.tip.epoch == epoch {
		x, err := stm.Atomically(ctx, h.next)
		if err != nil {
			return err
		}
		if err := h.deal(ctx, x); err != nil {
			return err
		}
	}
	return nil
}

func (h *host) deal(ctx context.Context, x happening) error {
	if len(x.events) > 0 {
		h.backlog = nil
	}
	for _, m := range x.events {
		if err := h.hear(ctx, m.Body); err != nil {
			return err
		}
	}
	if x.work {
		h.waiting = false
		return h.post(ctx, workReady{h.tip.height + 1})
	}
	if x.again {
		h.patient *= 2
		h.again = env.Now(ctx).Add(h.patient)
		return h.tell(ctx, h.gate.let...)
	}
	if x.rest {
		h.rest = nil
	}
	return h.receive(ctx, x.in)
}

// receive deals with what peers have sent. What is left when the epoch ends is for the next one.
func (h *host) receive(ctx context.Context, ins []incoming) error {
	epoch := h.tip.epoch
	var messages []incoming
	for i, in := range ins {
		if len(in.raw) == 0 || in.raw[0] != decisionKind {
			messages = append(messages, in)
			continue
		}
		if err := h.learn(ctx, in); err != nil {
			return err
		}
		if h.tip.epoch != epoch {
			h.rest = slices.Concat(h.rest, messages, ins[i+1:])
			return nil
		}
	}
	return h.admit(ctx, messages)
}

// hear deals with what the rules say.
func (h *host) hear(ctx context.Context, body any) error {
	switch x := body.(type) {
	case rule.Fact[slot, said]:
		return h.speak(ctx, x)
	case [2]rule.Fact[slot, said]:
		h.accuse(x)
	case entered:
		return h.follow(ctx, x)
	case decision:
		return h.commit(ctx, x)
	}
	return nil
}

// post tells the rules. While they have no room it takes what they say, or both would wait for each other.
func (h *host) post(ctx context.Context, bodies ...any) error {
	if h.rules == nil {
		return nil
	}
	for {
		events, err := stm.Atomically(ctx, func(tx *stm.Tx) ([]rule.Message, error) {
			if h.rules.Offer(tx, rule.Host, bodies...) {
				return nil, nil
			}
			if es := prop.Rest(tx, h.events, batchMax); len(es) > 0 {
				return es, nil
			}
			return nil, stm.ErrRetry
		})
		if err != nil || len(events) == 0 {
			return err
		}
		h.backlog = append(h.backlog, events...)
	}
}

// message is a fact in the form that goes over the wire.
func (h *host) message(f rule.Fact[slot, said]) Message {
	m := Message{Kind: f.Slot.Kind, Epoch: h.tip.epoch, Height: f.Slot.Height, Round: f.Slot.Round, ValidRound: f.Value.ValidRound,
		Value: f.Value.Value, Author: int(f.Author), Signature: f.Proof}
	if m.Kind == Proposal {
		m.Block = h.blocks[m.Value].raw
	}
	return m
}

// speak signs what the rules say and hands it to the feed. It is durable by now.
func (h *host) speak(ctx context.Context, f rule.Fact[slot, said]) error {
	if f.Slot.Height != h.tip.height+1 {
		return nil // of a height that is over
	}
	m := h.message(f)
	m.Signature = h.config.Sign(m.Content())
	f.Proof = m.Signature
	if err := h.gate.note(m); err != nil {
		return nil // said before
	}
	raw := [][]byte{m.Bytes()}
	if m.Kind == Proposal && m.ValidRound >= 0 {
		raw = append(h.gate.polka(m.ValidRound, m.Value), raw...)
	}
	if err := h.tell(ctx, raw...); err != nil {
		return err
	}
	return h.post(ctx, f)
}

func (h *host) tell(ctx context.Context, raw ...[]byte) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { h.feed.Set(tx, h.feed.Get(tx).add(raw...)); return nil })
}

// admit lets messages in and tells the rules, and the other peers.
func (h *host) admit(ctx context.Context, ins []incoming) error {
	if len(ins) == 0 {
		return nil
	}
	facts, errs := h.gate.admit(ins)
	for i, err := range errs {
		if errors.Is(err, ErrMessage) || errors.Is(err, ErrRefused) {
			h.config.Blame(ctx, ins[i].from, err)
		}
	}
	var bodies []any
	var relay [][]byte
	for _, m := range facts {
		s := said{m.Value, m.ValidRound, false}
		if m.Kind == Proposal {
			ok, err := h.consider(ctx, m)
			if err != nil {
				return err
			}
			s.Invalid = !ok
		}
		bodies = append(bodies, rule.Fact[slot, said]{Author: rule.Peer(m.Author), Slot: slot{m.Height, m.Round, m.Kind}, Value: s, Proof: m.Signature})
		relay = append(relay, m.Bytes())
	}
	if len(bodies) == 0 {
		return nil
	}
	if err := h.tell(ctx, relay...); err != nil {
		return err
	}
	return h.post(ctx, bodies...)
}

// consider keeps a proposal's block if it is valid: on top of the tip, with true accusations, and acceptable to the application.
func (h *host) consider(ctx context.Context, m Message) (valid bool, err error) {
	if _, ok := h.blocks[m.Value]; ok {
		return true, nil
	}
	b, err := DecodeBlock(m.Block)
	if err != nil || b.Height != m.Height || b.Prev != h.tip.value || b.State != h.tip.state || h.unjust(b) {
		return false, nil
	}
	if h.config.App.Validate(ctx, uint64(b.Height), b.Payload) != nil {
		return false, nil
	}
	return true, h.keep(ctx, m.Value, candidate{m.Block, b})
}

// unjust reports an accusation in b that proves nothing, or nothing new.
func (h *host) unjust(b Block) bool {
	seen := map[int]bool{}
	for _, a := range b.Accused {
		who := a.First.Author
		if seen[who] || a.First.Epoch != h.tip.epoch || a.Check(h.tip.set(), h.config.Verify) != nil || h.tip.accused[h.tip.set().At(who).ID] {
			return true
		}
		seen[who] = true
	}
	return false
}

// keep stores a block before the rules hear of it. The store keeps the order, so it is durable before any vote for it.
func (h *host) keep(ctx context.Context, v Value, c candidate) error {
	h.blocks[v] = c
	var b store.Batch
	b.Put(blockKey(c.block.Height, v), c.raw)
	_, err := h.config.Store.Apply(ctx, &b, store.Queued)
	return err
}

// follow notes where the rules are, and gives them what they ask for.
func (h *host) follow(ctx context.Context, e entered) error {
	if e.Height != h.tip.height+1 {
		return nil
	}
	h.gate.at.round = max(e.Round, h.gate.at.round)
	h.waiting = e.Step == waiting
	if h.waiting {
		h.due = env.Now(ctx).Add(h.config.Empty)
	}
	if !e.Asks {
		return nil
	}
	room := h.config.Limits.BlockBytes - blockHead - accusedMax*accusationLen
	payload, err := h.config.App.Prepare(ctx, uint64(e.Height), room)
	if err != nil {
		return err
	}
	if len(payload) > room {
		return fmt.Errorf("%w: App.Prepare gave %d bytes instead of at most %d", ErrConfig, len(payload), room)
	}
	b := Block{Height: e.Height, Prev: h.tip.value, State: h.tip.state, Accused: h.accused[:min(len(h.accused), accusedMax)], Payload: payload}
	raw := b.Bytes()
	v := valueOf(raw)
	if err := h.keep(ctx, v, candidate{raw, b}); err != nil {
		return err
	}
	return h.post(ctx, valueReady{e.Height, v})
}

// worth reports that a height should begin.
func (h *host) worth(tx *stm.Tx) bool {
	if h.config.Work == nil || h.config.Empty == 0 || h.config.Work(tx) {
		return true
	}
	return h.config.Empty > 0 && env.Reached(tx, h.due)
}

// accuse keeps evidence for the next block that this validator proposes.
func (h *host) accuse(c [2]rule.Fact[slot, said]) {
	a := Accusation{h.message(c[0]), h.message(c[1])}
	a.First.Block, a.Second.Block = nil, nil
	if a.Check(h.tip.set(), h.config.Verify) != nil || h.tip.accused[h.tip.set().At(a.First.Author).ID] {
		return
	}
	for _, b := range h.accused {
		if b.First.Author == a.First.Author {
			return
		}
	}
	h.accused = append(h.accused, a)
}

// laterMax is how many decisions of later heights are kept until their time.
const laterMax = 16

// learn takes another's decision of the next height, if it proves it.
func (h *host) learn(ctx context.Context, in incoming) error {
	d, err := DecodeDecision(in.raw)
	if err == nil && len(d.Block) > h.config.Limits.BlockBytes {
		err = fmt.Errorf("%w: decision %d of %d bytes", ErrRefused, d.Height, len(d.Block))
	}
	if err != nil {
		h.config.Blame(ctx, in.from, err)
		return nil
	}
	if d.Height > h.tip.height+1 && d.Height <= h.tip.height+laterMax && len(h.later) < laterMax {
		h.later = append(h.later, in)
	}
	if d.Height != h.tip.height+1 || h.learned != nil {
		return nil // too early, or too late
	}
	if d.Epoch != h.tip.epoch {
		h.config.Blame(ctx, in.from, fmt.Errorf("%w: decision %d of epoch %d instead of %d", ErrRefused, d.Height, d.Epoch, h.tip.epoch))
		return nil
	}
	if err := d.Check(h.tip.set(), h.config.Verify); err != nil {
		h.config.Blame(ctx, in.from, fmt.Errorf("%w: %w", ErrRefused, err))
		return nil
	}
	b, err := DecodeBlock(d.Block)
	if err != nil || b.Height != d.Height || b.Prev != h.tip.value || b.State != h.tip.state {
		return fmt.Errorf("%w: decision %d does not stand on what was decided here", ErrForked, d.Height)
	}
	h.learned = &d
	if h.rules == nil {
		return h.commit(ctx, decision{Height: d.Height, Round: d.Round, Value: d.Value()})
	}
	if err := h.keep(ctx, d.Value(), candidate{d.Block, b}); err != nil {
		return err
	}
	return h.post(ctx, learned{d.Height, d.Round, d.Value()})
}

// certify makes a decision of what the rules have decided.
func (h *host) certify(x decision) (Decision, error) {
	if h.learned != nil {
		if h.learned.Value() != x.Value {
			return Decision{}, fmt.Errorf("%w: height %d: %v and %v", ErrForked, x.Height, x.Value, h.learned.Value())
		}
		return *h.learned, nil
	}
	d := Decision{Epoch: h.tip.epoch, Height: x.Height, Round: x.Round, Block: h.blocks[x.Value].raw}
	slices.SortFunc(x.Precommits, func(a, b rule.Fact[slot, said]) int { return cmp.Compare(a.Author, b.Author) })
	for _, f := range x.Precommits {
		sig := f.Proof
		if int(f.Author) == h.self {
			sig = h.config.Sign(d.precommit())
		}
		d.Certificate.Signers = append(d.Certificate.Signers, int(f.Author))
		d.Certificate.Signatures = append(d.Certificate.Signatures, bytes.Clone(sig))
	}
	return d, nil
}

// commit applies a decision and goes on to the next height.
func (h *host) commit(ctx context.Context, x decision) error {
	if x.Height != h.tip.height+1 {
		return nil
	}
	d, err := h.certify(x)
	if err != nil {
		return err
	}
	was := h.tip
	if h.tip, err = h.apply(ctx, was, d); err != nil {
		return err
	}
	if err := h.store(ctx, d); err != nil {
		return err
	}
	h.drop()
	if err := h.publish(ctx, h.applied.Load(ctx).add(d)); err != nil {
		return err
	}
	last := h.tip.epoch != was.epoch
	if err := h.post(ctx, applied{d.Height, last}); err != nil || last {
		return err
	}
	return h.enter(ctx)
}

// drop forgets accusations that a block has carried, or that are of no use in the next epoch.
func (h *host) drop() {
	var left []Accusation
	for _, a := range h.accused {
		if a.First.Epoch == h.tip.epoch && !h.tip.accused[h.tip.set().At(a.First.Author).ID] {
			left = append(left, a)
		}
	}
	h.accused = left
}

// store writes a decision and what it changes. The rules' next turn is written after it, so that neither can be lost without the other.
func (h *host) store(ctx context.Context, d Decision) error {
	var b store.Batch
	t, err := h.tip.bytes()
	if err != nil {
		return err
	}
	b.Put([]byte(keyTip), t)
	b.Put(decisionKey(d.Height), d.Bytes())
	for _, v := range slices.SortedFunc(maps.Keys(h.blocks), func(a, b Value) int { return bytes.Compare(a[:], b[:]) }) {
		b.Delete(blockKey(d.Height, v))
	}
	if keep := Height(h.config.Keep); d.Height > keep {
		b.Delete(decisionKey(d.Height - keep))
	}
	if uint64(d.Height)%uint64(h.config.SnapshotEvery) == 0 {
		if err := h.snapshot(ctx, &b, t); err != nil {
			return err
		}
	}
	_, err = h.config.Store.Apply(ctx, &b, store.Queued)
	return err
}

func (h *host) publish(ctx context.Context, d decisions) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { h.applied.Set(tx, d); return nil })
}
