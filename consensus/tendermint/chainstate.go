package tendermint

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/consensus"
	"github.com/synodkit/synod/store"
)

// tip is where a replica's chain of decisions ends, and who decides next. It is a value.
type tip struct {
	cluster  chain.Hash
	height   Height
	value    Value
	state    chain.Hash // the application's digest
	epoch    uint64
	start    Height                // the epoch's first height
	rotation consensus.Rotation    // at round 0 of the next height
	accused  map[consensus.ID]bool // in this epoch; not written to
}

func (t tip) set() *consensus.Set { return t.rotation.Set() }

// after is the tip once d is applied.
func (t tip) after(d Decision, b Block, out consensus.Outcome) (tip, error) {
	n := t
	n.height, n.value, n.state = d.Height, d.Value(), chain.HashOf(out.State)
	if out.Members != nil {
		set, err := consensus.NewSet(out.Members...)
		if err != nil {
			return t, fmt.Errorf("tendermint: validators after height %d: %w", d.Height, err)
		}
		if !set.Equal(t.set()) {
			n.epoch++
			n.start = d.Height + 1
			n.rotation = t.rotation.Change(set)
			n.accused = nil
			return n, nil
		}
	}
	n.rotation = t.rotation.Next()
	if len(b.Accused) > 0 {
		n.accused = map[consensus.ID]bool{}
		for id := range t.accused {
			n.accused[id] = true
		}
		for _, a := range b.Accused {
			n.accused[t.set().At(a.First.Author).ID] = true
		}
	}
	return n, nil
}

// storedVersion is of the meaning of what is stored.
const storedVersion = 1

// record is a tip as it is stored.
type record struct {
	_          struct{} `cbor:",toarray"`
	Version    uint
	Cluster    []byte
	Height     uint64
	Value      []byte
	State      []byte
	Epoch      uint64
	Start      uint64
	IDs        []string
	Weights    []uint64
	Priorities []int64
	Leader     int
	Accused    []string
}

func (t tip) bytes() ([]byte, error) {
	r := record{Version: storedVersion, Cluster: t.cluster[:], Height: uint64(t.height), Value: t.value[:], State: t.state[:], Epoch: t.epoch, Start: uint64(t.start),
		Priorities: t.rotation.Priorities(), Leader: t.rotation.Leader()}
	for _, m := range t.set().Members() { // in their order, so that equal tips have equal bytes
		r.IDs, r.Weights = append(r.IDs, fmt.Sprintf("%x", string(m.ID))), append(r.Weights, uint64(m.Weight))
		if t.accused[m.ID] {
			r.Accused = append(r.Accused, r.IDs[len(r.IDs)-1])
		}
	}
	return chain.Marshal(r)
}

func decodeTip(b []byte) (t tip, err error) {
	var r record
	if err := chain.Unmarshal(b, &r); err != nil {
		return t, err
	}
	bad := func(what string) (tip, error) { return tip{}, fmt.Errorf("%w: stored tip: %s", ErrMessage, what) }
	if r.Version != storedVersion {
		return bad(fmt.Sprintf("version %d instead of %d", r.Version, storedVersion))
	}
	if len(r.Cluster) != len(t.cluster) || len(r.IDs) != len(r.Weights) || len(r.Value) != len(t.value) || len(r.State) != len(t.state) {
		return bad("lengths")
	}
	var ms []consensus.Member
	t = tip{cluster: chain.Hash(r.Cluster), height: Height(r.Height), value: Value(r.Value), state: chain.Hash(r.State), epoch: r.Epoch, start: Height(r.Start), accused: map[consensus.ID]bool{}}
	id := func(s string) (out consensus.ID) {
		if _, scan := fmt.Sscanf(s, "%x", &out); scan != nil {
			err = scan
		}
		return out
	}
	for i := range r.IDs {
		ms = append(ms, consensus.Member{ID: id(r.IDs[i]), Weight: consensus.Weight(r.Weights[i])})
	}
	for _, s := range r.Accused {
		t.accused[id(s)] = true
	}
	if err != nil {
		return bad(err.Error())
	}
	set, err := consensus.NewSet(ms...)
	if err != nil {
		return tip{}, err
	}
	var ok bool
	if t.rotation, ok = set.Resume(r.Priorities, r.Leader); !ok {
		return bad("rotation")
	}
	return t, nil
}

// Keys of the store.
const (
	keyTip      = "tendermint/tip"
	keySnapshot = "tendermint/snapshot"
	keyDecision = "tendermint/decision/"
	keyBlock    = "tendermint/block/"
)

func decisionKey(h Height) []byte {
	return binary.BigEndian.AppendUint64([]byte(keyDecision), uint64(h))
}

func blockKey(h Height, v Value) []byte {
	return append(binary.BigEndian.AppendUint64([]byte(keyBlock), uint64(h)), v[:]...)
}

// snapshot is the application's state with the tip it belongs to.
type snapshot struct {
	_     struct{} `cbor:",toarray"`
	Tip   []byte
	State []byte
	Data  []byte
}

// snapshot adds the application's state, at the height that was just applied, to a batch.
func (h *host) snapshot(ctx context.Context, b *store.Batch, tip []byte) error {
	s, err := h.config.App.Snapshot(ctx)
	if err != nil {
		return err
	}
	raw, err := chain.Marshal(snapshot{Tip: tip, State: s.State, Data: s.Data})
	if err != nil {
		return err
	}
	b.Put([]byte(keySnapshot), raw)
	return nil
}

// loadTip is the stored tip, or that before the first height.
func (r *Replica) loadTip() (tip, error) {
	b, err := r.config.Store.Get([]byte(keyTip))
	if errors.Is(err, store.ErrNotFound) {
		return r.genesis()
	}
	if err != nil {
		return tip{}, err
	}
	t, err := decodeTip(b)
	if err == nil && t.cluster != r.config.Cluster {
		err = fmt.Errorf("%w: Cluster is %v, the store is of %v", ErrConfig, r.config.Cluster, t.cluster)
	}
	return t, err
}

func (r *Replica) genesis() (tip, error) {
	set, err := consensus.NewSet(r.config.Validators...)
	if err != nil {
		return tip{}, err
	}
	return tip{cluster: r.config.Cluster, start: 1, rotation: set.Rotation()}, nil
}

// restore brings the application to the tip: from the last snapshot, through the decisions after it.
func (r *Replica) restore(ctx context.Context, to tip) error {
	at, err := r.restoreSnapshot(ctx)
	if err != nil {
		return err
	}
	for at.height < to.height {
		d, ok := r.Decision(ctx, at.height+1)
		if !ok {
			return fmt.Errorf("tendermint: decision %d is missing in the store", at.height+1)
		}
		if at, err = r.apply(ctx, at, d); err != nil {
			return err
		}
	}
	if at.state != to.state || at.value != to.value || at.epoch != to.epoch {
		return fmt.Errorf("%w: the application's state after height %d is not what it was before", ErrForked, to.height)
	}
	return nil
}

// restoreSnapshot gives the application its last snapshot, if there is one, and returns where it then is.
func (r *Replica) restoreSnapshot(ctx context.Context) (tip, error) {
	b, err := r.config.Store.Get([]byte(keySnapshot))
	if errors.Is(err, store.ErrNotFound) {
		return r.genesis()
	}
	if err != nil {
		return tip{}, err
	}
	var s snapshot
	if err := chain.Unmarshal(b, &s); err != nil {
		return tip{}, err
	}
	at, err := decodeTip(s.Tip)
	if err != nil {
		return tip{}, err
	}
	return at, r.config.App.Restore(ctx, consensus.Snapshot{Height: uint64(at.height), State: s.State, Data: s.Data})
}

// apply gives the decision after t to the application.
func (r *Replica) apply(ctx context.Context, t tip, d Decision) (tip, error) {
	b, err := DecodeBlock(d.Block)
	if err != nil {
		return t, err
	}
	x := consensus.Decided{Height: uint64(d.Height), Payload: b.Payload, Proof: d.Bytes()}
	for _, a := range b.Accused {
		if _, err := a.Evidence(t.set()); err != nil {
			return t, err // more than a third has let it pass
		}
		x.Faulty = append(x.Faulty, t.set().At(a.First.Author))
	}
	out, err := r.config.App.Apply(ctx, x)
	if err != nil {
		return t, err
	}
	return t.after(d, b, out)
}
