package main

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/registry/registrytest"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

// Three nodes agree on one of the rivals, and the program ends by itself and leaves nothing.
func TestRun(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out strings.Builder
	require.NoError(t, run(ctx, &out))
	require.Regexp(t, regexp.MustCompile(`^alice belongs to the key of node [01]\nbob belongs to the key of node 2\n$`), out.String())
}

// Cut off, it ends with the reason, and leaves nothing either.
func TestRunCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, new(strings.Builder)), context.Canceled)
}

func blockOf(t testing.TB, body []byte) chain.Block {
	h := chain.NewHeader(chain.Fields{Slot: 1, BlockNo: 1, BodyHash: chain.HashOf(body), BodySize: uint32(len(body))}, nil)
	b, err := chain.NewBlock(h, body)
	require.NoError(t, err)
	return b
}

func TestLedger(t *testing.T) {
	l := newLedger(chain.Genesis{Network: "one"})
	ann, ben := sign.KeyFromSeed([32]byte{1}), sign.KeyFromSeed([32]byte{2})
	claimOf := func(l ledger, key sign.PrivateKey, name string) ([]byte, claim) {
		raw, err := l.sign(key, name)
		require.NoError(t, err)
		c, _ := l.Parse(raw)
		return raw, c
	}
	raw, first := claimOf(l, ann, "ann")
	back, err := l.Parse(raw)
	require.NoError(t, err)
	require.Equal(t, first, back)

	body := l.Body(names{}, 1, []claim{first})
	owned, err := l.Apply(names{}, blockOf(t, body))
	require.NoError(t, err)
	require.Equal(t, names{"ann": ann.Public()}, owned)
	raws, err := l.Transactions(blockOf(t, body))
	require.NoError(t, err)
	require.Equal(t, [][]byte{raw}, raws)

	_, rival := claimOf(l, ben, "ann")
	_, err = l.Check(owned, rival)
	require.ErrorIs(t, err, errTaken)

	forged := rival
	forged.Owner = ann.Public()
	foreign, _ := claimOf(newLedger(chain.Genesis{Network: "two"}), ben, "ben")
	nameless, _ := claimOf(l, ben, "")
	long, _ := claimOf(l, ben, strings.Repeat("n", nameBytesMax+1))
	huge, _ := claimOf(l, ben, strings.Repeat("n", 1000))
	forgedRaw, err := chain.Marshal(forged)
	require.NoError(t, err)
	rivalRaw, err := chain.Marshal(rival)
	require.NoError(t, err)
	for name, bad := range map[string][][]byte{
		"taken": {rivalRaw}, "twice in one block": {}, "forged": {forgedRaw}, "another network's": {foreign}, "no name": {nameless}, "a long name": {long},
		"huge": {huge}, "garbage": {[]byte("garbage")}, "bytes after the end": {append(foreign, 0)},
	} {
		if name == "twice in one block" {
			other, _ := claimOf(l, ben, "ben")
			bad = [][]byte{other, other}
		}
		body, err := chain.Marshal(bad)
		require.NoError(t, err)
		same, err := l.Apply(owned, blockOf(t, body))
		require.Error(t, err, name)
		require.Equal(t, owned, same, name)
	}
	require.Equal(t, names{"ann": ann.Public()}, owned, "no state was written to")
}

// FuzzApply: no block panics.
func FuzzApply(f *testing.F) {
	l := newLedger(chain.Genesis{Network: "one"})
	raw, err := l.sign(sign.KeyFromSeed([32]byte{1}), "ann")
	if err != nil {
		f.Fatal(err)
	}
	c, err := l.Parse(raw)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(l.Body(names{}, 1, []claim{c}))
	f.Add(raw)
	f.Fuzz(func(t *testing.T, body []byte) {
		_, _ = l.Parse(body)
		if len(body) <= chain.BodyBytesMax {
			_, _ = l.Apply(names{}, blockOf(t, body))
		}
	})
}
