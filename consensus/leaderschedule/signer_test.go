package leaderschedule

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/store"
)

func fieldsAt(slot chain.Slot, body string) chain.Fields {
	return chain.Fields{Slot: slot, BlockNo: 1, BodyHash: chain.HashOf([]byte(body)), BodySize: uint32(len(body))}
}

func TestSignerIsMonotone(t *testing.T) {
	ctx := context.Background()
	s, keys := scheduleOf(2)
	mem := store.NewMemory()
	g := signerOf(s, keys[1], mem)
	h, err := g.Sign(ctx, fieldsAt(5, "a"))
	require.NoError(t, err)
	require.NoError(t, s.CheckHeader(h))
	require.EqualValues(t, 5, query(ctx, g.Last))
	for i := range 2 {
		for _, slot := range []chain.Slot{1, 3, 5} {
			_, err = g.Sign(ctx, fieldsAt(slot, "b"))
			require.ErrorIs(t, err, ErrSigned)
		}
		_, err = g.Sign(ctx, fieldsAt(6, "b"))
		require.ErrorIs(t, err, ErrNotLeader)
		_, err = g.Sign(ctx, fieldsAt(0, "b"))
		require.ErrorIs(t, err, ErrNotLeader)
		if i == 0 {
			g = signerOf(s, keys[1], mem.Reopen())
		}
	}
	_, err = g.Sign(ctx, fieldsAt(7, "b"))
	require.NoError(t, err)
}

func TestOpenSignerRefuses(t *testing.T) {
	s, keys := scheduleOf(2)
	_, err := OpenSigner(s, keysOf(3)[2], store.NewMemory())
	require.ErrorIs(t, err, ErrNotLeader)

	// Every bit of the record counts, and so does its length.
	mem := store.NewMemory()
	g := signerOf(s, keys[0], mem)
	_, err = g.Sign(context.Background(), fieldsAt(2, "a"))
	require.NoError(t, err)
	good, err := mem.Get(g.recordKey())
	require.NoError(t, err)
	spoil := func(b []byte) {
		batch := new(store.Batch)
		batch.Put(g.recordKey(), b)
		_, err := mem.Apply(context.Background(), batch, store.Durable)
		require.NoError(t, err)
		_, err = OpenSigner(s, keys[0], mem)
		require.ErrorIs(t, err, ErrRecord)
	}
	for i := range 8 * len(good) {
		b := append([]byte{}, good...)
		b[i/8] ^= 1 << (i % 8)
		spoil(b)
	}
	spoil(nil)
	spoil(append(good, 0))
}

// dying is a store that stops at one of its operations, which takes effect or not.
type dying struct {
	*store.Memory
	stopAt int
	effect bool
	ops    int
}

func (d *dying) Apply(ctx context.Context, b *store.Batch, l store.Durability) (*store.Ticket, error) {
	d.ops++
	if d.ops < d.stopAt || d.ops == d.stopAt && d.effect {
		if _, err := d.Memory.Apply(ctx, b, l); err != nil {
			return nil, err
		}
	}
	if d.ops >= d.stopAt {
		return store.DoneTicket(store.ErrFailed), nil
	}
	return store.DoneTicket(nil), nil
}

// crashes stops a signer at each of its store's operations, restarts it, and looks for a slot with two signatures.
func crashes(spoil func(*Signer)) error {
	ctx := context.Background()
	s, keys := scheduleOf(1)
	for stopAt := 1; stopAt <= 5; stopAt++ {
		for _, effect := range []bool{false, true} {
			disk := &dying{Memory: store.NewMemory(), stopAt: stopAt, effect: effect}
			out := map[chain.Slot]chain.Hash{}
			for life := range 3 {
				g := signerOf(s, keys[0], disk)
				spoil(g)
				for slot := chain.Slot(1); slot <= 8; slot++ {
					h, err := g.Sign(ctx, fieldsAt(slot, fmt.Sprint(life)))
					if errors.Is(err, store.ErrFailed) {
						break
					}
					if err != nil {
						continue
					}
					if first, twice := out[slot]; twice && first != h.Hash() {
						return fmt.Errorf("slot %d signed twice (stop at %d, effect %v, life %d)", slot, stopAt, effect, life)
					}
					out[slot] = h.Hash()
				}
				disk = &dying{Memory: disk.Memory.Reopen(), stopAt: stopAt + life, effect: !effect}
			}
			if len(out) == 0 && stopAt > 1 {
				return errors.New("nothing was signed")
			}
		}
	}
	return nil
}

func TestNeverTwoSignaturesInASlot(t *testing.T) {
	require.NoError(t, crashes(func(*Signer) {}))
}

// TestPlantedRecordAfterSigning: a signer that signs first and records then, or does not wait until the record is durable, is caught.
func TestPlantedRecordAfterSigning(t *testing.T) {
	require.ErrorContains(t, crashes(func(g *Signer) {
		durably := g.reserve
		g.reserve = func(ctx context.Context, slot chain.Slot) error {
			_ = durably(ctx, slot) // the signature is out whatever becomes of the record
			return nil
		}
	}), "signed twice")
	require.ErrorContains(t, crashes(func(g *Signer) {
		g.reserve = func(context.Context, chain.Slot) error { return nil } // memory alone
	}), "signed twice")
}
