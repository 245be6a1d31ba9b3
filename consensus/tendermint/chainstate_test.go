package tendermint

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/consensus"
	"github.com/synodkit/synod/store"
)

func drawTip(t *rapid.T) tip {
	var ms []consensus.Member
	for i := range rapid.IntRange(1, 6).Draw(t, "members") {
		id := consensus.ID(fmt.Sprintf("%d%s", i, string(rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "id"))))
		ms = append(ms, consensus.Member{ID: id, Weight: consensus.Weight(rapid.Uint64Range(1, 100).Draw(t, "weight"))})
	}
	set, err := consensus.NewSet(ms...)
	require.NoError(t, err)
	x := tip{
		height: Height(rapid.Uint64().Draw(t, "height")), epoch: rapid.Uint64().Draw(t, "epoch"), start: Height(rapid.Uint64().Draw(t, "start")),
		cluster:  chain.HashOf([]byte("cluster")),
		value:    Value(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "value")),
		state:    chain.Hash(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "state")),
		rotation: set.Rotation().After(rapid.IntRange(0, 9).Draw(t, "turns")), accused: map[consensus.ID]bool{},
	}
	if rapid.Bool().Draw(t, "accused") {
		x.accused[ms[0].ID] = true
	}
	return x
}

func TestTipsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := drawTip(t)
		b, err := x.bytes()
		require.NoError(t, err)
		got, err := decodeTip(b)
		require.NoError(t, err)
		require.Equal(t, x, got)
		b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		_, _ = decodeTip(b) // whatever it is, it does not panic
	})
}

// The proposer of a height and round is the rotation's after as many turns as heights and rounds have passed.
func TestSequence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawTip(t).rotation
		s := newSequence(r, 10)
		for range 20 {
			h, round := Height(rapid.IntRange(10, 40).Draw(t, "height")), Round(rapid.IntRange(0, 20).Draw(t, "round"))
			require.Equal(t, r.After(int(h-10)+int(round)).Leader(), s.of(h, round))
		}
		require.Equal(t, -1, s.of(9, 0))
		require.Equal(t, -1, s.of(10, -1))
	})
	s := newSequence(fourEqual().Rotation(), 1)
	for h := Height(1); h < 5*leadersMax; h++ {
		require.Equal(t, int(h-1)%4, s.of(h, 0))
		require.LessOrEqual(t, len(s.leaders), leadersMax+2)
	}
}

func TestFeedIsBounded(t *testing.T) {
	f := feed{}
	for range 3 * feedMax {
		f = f.add([]byte("x"))
		require.LessOrEqual(t, len(f.raw), feedMax)
	}
	require.Equal(t, uint64(3*feedMax), f.first+uint64(len(f.raw)))
	require.Equal(t, uint64(3*feedMax), f.cut().first)
}

func TestDecisionsAreFew(t *testing.T) {
	d := decisions{}
	for h := range Height(3 * recentMax) {
		d = d.add(Decision{Height: h + 1})
		require.Equal(t, h+1, d.height)
		require.Len(t, d.recent, min(int(h)+1, recentMax))
		require.Equal(t, h+1, d.recent[len(d.recent)-1].Height)
	}
}

func TestConfigIsChecked(t *testing.T) {
	ok := Config{Verify: func([]consensus.Claim) []int { return nil }, App: nothing{}, Store: store.NewMemory()}
	_, err := New(ok)
	require.NoError(t, err)
	for field, change := range map[string]func(*Config){
		"Verify": func(c *Config) { c.Verify = nil }, "App": func(c *Config) { c.App = nil }, "Store": func(c *Config) { c.Store = nil },
	} {
		c := ok
		change(&c)
		_, err := New(c)
		require.ErrorIs(t, err, ErrConfig)
		require.ErrorContains(t, err, field)
	}
	r, err := New(ok)
	require.NoError(t, err)
	require.ErrorIs(t, r.Run(context.Background()), consensus.ErrSet, "nobody is a validator")
}

type nothing struct{}

func (nothing) Prepare(context.Context, uint64, int) ([]byte, error) { return nil, nil }
func (nothing) Validate(context.Context, uint64, []byte) error       { return nil }
func (nothing) Snapshot(context.Context) (consensus.Snapshot, error) {
	return consensus.Snapshot{}, nil
}
func (nothing) Restore(context.Context, consensus.Snapshot) error { return nil }
func (nothing) Apply(context.Context, consensus.Decided) (consensus.Outcome, error) {
	return consensus.Outcome{}, nil
}
