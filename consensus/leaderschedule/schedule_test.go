package leaderschedule

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/store"
)

func TestNewNamesTheField(t *testing.T) {
	keys := keysOf(2)
	for name, spoil := range map[string]func(*chain.Genesis){
		"Network":    func(g *chain.Genesis) { g.Network = "" },
		"Keys":       func(g *chain.Genesis) { g.Keys = nil },
		"SlotLength": func(g *chain.Genesis) { g.SlotLength = 0 },
	} {
		g := genesisOf(start, keys)
		spoil(&g)
		_, err := New(g)
		var bad *chain.GenesisError
		require.ErrorAs(t, err, &bad)
		require.Equal(t, name, bad.Field)
	}
	_, err := New(genesisOf(start, append(keys, keys[0])))
	require.ErrorIs(t, err, chain.ErrGenesis)
	require.ErrorContains(t, err, "Keys hold the same key at 0 and 2")
}

func TestCheckHeader(t *testing.T) {
	s, keys := scheduleOf(3)
	fields := func(slot chain.Slot) chain.Fields {
		return chain.Fields{Slot: slot, BlockNo: 1, Prev: s.Genesis().Hash()}
	}
	signed := func(d sign.Domain, k sign.PrivateKey, f chain.Fields) *chain.Header {
		return chain.NewHeader(f, d.Sign(k, f.Content()))
	}
	require.NoError(t, s.CheckHeader(signed(s.domain, keys[1], fields(4))))

	other := s.domain
	other.Genesis = chain.HashOf([]byte("other"))
	version := s.domain
	version.Version++
	changed := fields(4)
	changed.BlockNo = 2
	for name, h := range map[string]*chain.Header{
		"slot zero":       signed(s.domain, keys[0], fields(0)),
		"other leader":    signed(s.domain, keys[2], fields(4)),
		"other genesis":   signed(other, keys[1], fields(4)),
		"other version":   signed(version, keys[1], fields(4)),
		"no proof":        chain.NewHeader(fields(4), nil),
		"longer proof":    chain.NewHeader(fields(4), append(s.domain.Sign(keys[1], fields(4).Content()), 0)),
		"changed content": chain.NewHeader(changed, s.domain.Sign(keys[1], fields(4).Content())),
	} {
		err := s.CheckHeader(h)
		require.ErrorIs(t, err, ErrHeader, name)
		if h.Slot() > 0 {
			require.ErrorIs(t, err, sign.ErrSignature, name)
		}
		var bad *HeaderError
		require.ErrorAs(t, err, &bad)
		require.Equal(t, h.Tip(), bad.Header)
	}
}

func TestCheckTime(t *testing.T) {
	s, _ := scheduleOf(3)
	now := start.Add(10*time.Second + 500*time.Millisecond)
	for slot, want := range map[chain.Slot]error{
		0: nil, 9: nil, 10: nil,
		11:      &LaterError{11, start.Add(11 * time.Second)},
		12:      &LaterError{12, start.Add(12 * time.Second)},
		13:      &TooFarAheadError{13, 10},
		1 << 60: &TooFarAheadError{1 << 60, 10},
	} {
		require.Equal(t, want, s.CheckTime(now, slot))
	}
	require.NoError(t, s.CheckTime(start.Add(11*time.Second), 11), "at the instant that LaterError names, all is well")
	require.Equal(t, &LaterError{1, start.Add(time.Second)}, s.CheckTime(start.Add(-time.Hour), 1))

	// With short slots the tolerance is a time.
	g := s.Genesis()
	g.SlotLength = 10 * time.Millisecond
	short, err := New(g)
	require.NoError(t, err)
	require.Equal(t, &LaterError{200, start.Add(2 * time.Second)}, short.CheckTime(start, 200))
	require.Equal(t, &TooFarAheadError{201, 0}, short.CheckTime(start, 201))
}

func FuzzCheckHeader(f *testing.F) {
	s, keys := scheduleOf(2)
	f.Add(uint64(1), []byte{}, []byte("proof"))
	content := chain.Fields{Slot: 2}
	f.Add(uint64(2), []byte{}, []byte(s.domain.Sign(keys[0], content.Content())))
	f.Fuzz(func(t *testing.T, slot uint64, prev, proof []byte) {
		if len(proof) > chain.HeaderBytesMax/2 {
			return
		}
		h := chain.NewHeader(chain.Fields{Slot: chain.Slot(slot), Prev: chain.HashOf(prev)}, proof)
		if err := s.CheckHeader(h); err != nil {
			require.ErrorIs(t, err, ErrHeader)
		}
	})
}

func ExampleSchedule() {
	keys := []sign.PrivateKey{sign.KeyFromSeed([32]byte{1}), sign.KeyFromSeed([32]byte{2})}
	g := chain.Genesis{Network: "example", Start: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), SlotLength: time.Second}
	for _, k := range keys {
		p := k.Public()
		g.Keys = append(g.Keys, p[:])
	}
	s, err := New(g)
	if err != nil {
		panic(err)
	}
	signer, err := OpenSigner(s, keys[1], store.NewMemory())
	if err != nil {
		panic(err)
	}
	h, err := signer.Sign(context.Background(), chain.Fields{Slot: 7, BlockNo: 1, Prev: g.Hash()})
	fmt.Println(s.Leader(7), s.CheckHeader(h), err)

	_, err = signer.Sign(context.Background(), chain.Fields{Slot: 7, BlockNo: 1, Prev: chain.HashOf(nil)})
	fmt.Println(err)
	now := g.Start.Add(5500 * time.Millisecond)
	fmt.Println(s.CheckTime(now, h.Slot()))
	fmt.Println(s.CheckTime(now, 8))
	// Output:
	// 1 <nil> <nil>
	// leaderschedule: the slot is used up: slot 7, last 7
	// leaderschedule: slot 7 begins later, at 2030-01-01T00:00:07Z
	// leaderschedule: slot 8 is more than 2 slots and 2s ahead of slot 5
}
