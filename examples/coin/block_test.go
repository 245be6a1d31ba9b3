package coin

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/internal/long"
)

// What Body makes, Apply accepts, and Transactions gives back; Body leaves out what is not valid.
func TestBodyIsValid(t *testing.T) {
	l, s := ledgerOf(t, 20, 20, 20)
	other, _ := ledgerOf(t, 1)
	rapid.Check(t, func(rt *rapid.T) {
		var ts []Transfer
		next := map[int]uint64{}
		for range rapid.IntRange(0, 12).Draw(rt, "n") {
			from := rapid.IntRange(0, 2).Draw(rt, "from")
			x := l.pay(from, rapid.IntRange(0, 3).Draw(rt, "to"), rapid.Uint64Range(1, 9).Draw(rt, "amount"), next[from])
			switch rapid.IntRange(0, 5).Draw(rt, "kind") {
			case 0:
				x.Nonce++
			case 1:
				x = other.pay(from, 1, 1, next[from])
			default:
				next[from]++
			}
			ts = append(ts, x)
		}
		slot := chain.Slot(rapid.Uint64Range(1, 4).Draw(rt, "slot"))
		raw := l.Body(s, slot, ts)
		block := blockOf(t, slot, raw)
		after, err := l.Apply(s, block)
		require.NoError(rt, err)
		require.Equal(rt, uint64(60), sum(after))
		kept, err := l.Transactions(block)
		require.NoError(rt, err)
		bytes := 0
		for _, x := range kept {
			bytes += len(x)
			parsed, err := l.Parse(x)
			require.NoError(rt, err)
			require.Equal(rt, x, parsed.Bytes())
		}
		require.LessOrEqual(rt, len(raw), bytes+BodyOverhead)
	})
}

func TestBodyGolden(t *testing.T) {
	l, s := ledgerOf(t, 10)
	x := l.pay(0, 1, 2, 0)
	raw := l.Body(s, 1, []Transfer{x})
	after, err := l.Apply(s, blockOf(t, 1, raw))
	require.NoError(t, err)
	root := after.Root()
	require.Equal(t, slices.Concat([]byte{0x82, 0x58, 0x20}, root[:], []byte{0x81}, x.Bytes()), raw)
}

// The overhead holds for the fullest block.
func TestBodyOverhead(t *testing.T) {
	require.Len(t, must(chain.Marshal(body{Transfers: make([]envelope, 65535)})), len(must(chain.Marshal(body{})))-1+3+65535*len(Transfer{}.Bytes()))
	require.Len(t, must(chain.Marshal(body{})), BodyOverhead-2)
	require.Greater(t, 65535*len(Transfer{Signature: make([]byte, 64)}.Bytes()), chain.BodyBytesMax)
}

// liar is a body with a root that fits whatever its transfers do.
func liar(l Ledger, s State, slot chain.Slot, ts ...Transfer) []byte {
	for _, x := range ts {
		if next, err := l.Check(s, x); err == nil {
			s = next
		}
	}
	return rawBody(s.settle(l.Leader(slot)).Root(), ts...)
}

// Attacks of a leader on the ledger: each block is refused, for its reason, and the state stays.
func TestRefusedBlocks(t *testing.T) {
	l, s := ledgerOf(t, 20, 20, 20)
	other, _ := ledgerOf(t, 21)
	pay := l.pay(1, 2, 5, 0)
	forged := pay
	forged.To = addressOf(0)
	forged.Signature = slices.Clone(forged.Signature)
	moved := other.pay(1, 2, 5, 0)
	moved.Network = networkOf(l.genesis)
	overflow, zero, free := pay, pay, pay
	overflow.Amount, zero.Amount, free.Fee = math.MaxUint64, 0, 0
	good := l.Body(s, 1, []Transfer{pay})
	otherLeader := l.Body(s, 2, []Transfer{pay})

	for name, c := range map[string]struct {
		body  []byte
		as    any
		place int
	}{
		"nothing":                    {nil, nil, -1},
		"garbage":                    {[]byte("garbage"), nil, -1},
		"bytes after the end":        {append(slices.Clone(good), 0), nil, -1},
		"another form":               {append(append(slices.Clone(good[:35]), 0x98, 1), good[36:]...), nil, -1},
		"many empty transfers":       {append(append(slices.Clone(good[:35]), 0x99, 0xff, 0xff), make([]byte, 65535)...), nil, -1},
		"the same twice":             {liar(l, s, 1, pay, pay), new(*NonceError), 1},
		"one too early":              {liar(l, s, 1, pay, l.pay(1, 2, 1, 2)), new(*NonceError), 1},
		"in the wrong order":         {liar(l, s, 1, l.pay(1, 2, 1, 1), pay), new(*NonceError), 0},
		"more than there is":         {liar(l, s, 1, pay, l.pay(1, 2, 15, 1)), new(*FundsError), 1},
		"an account that never was":  {liar(l, s, 1, l.pay(3, 2, 1, 0)), new(*FundsError), 0},
		"a forged transfer":          {liar(l, s, 1, pay, l.pay(2, 1, 1, 0), Transfer{forged.Network, keyOf(0).Public(), addressOf(1), 1, 1, 0, forged.Signature}), new(*SignatureError), 2},
		"another receiver":           {liar(l, s, 1, forged), new(*SignatureError), 0},
		"another network's":          {liar(l, s, 1, other.pay(1, 2, 5, 0)), new(*NetworkError), 0},
		"another network's, renamed": {liar(l, s, 1, moved), new(*SignatureError), 0},
		"an amount that overflows":   {liar(l, s, 1, overflow), new(*MalformedError), 0},
		"an amount of zero":          {liar(l, s, 1, zero), new(*MalformedError), 0},
		"no fee":                     {liar(l, s, 1, free), new(*MalformedError), 0},
		"the root before":            {rawBody(s.Root(), pay), new(*RootError), -1},
		"another leader's root":      {otherLeader, new(*RootError), -1},
		"a root without the fees":    {rawBody(applied(t, l, s, pay).Root(), pay), new(*RootError), -1},
		"another root, no transfers": {rawBody(chain.Hash{}), new(*RootError), -1},
		"a signature cut short":      {bytes.Replace(good, append([]byte{0x58, 64}, pay.Signature...), append([]byte{0x58, 63}, pay.Signature[1:]...), 1), new(*MalformedError), 0},
	} {
		after, err := l.Apply(s, blockOf(t, 1, c.body))
		require.ErrorIs(t, err, ErrBlock, name)
		require.Equal(t, s, after, name)
		var where *BodyError
		require.ErrorAs(t, err, &where, name)
		require.Equal(t, c.place, where.Transfer, name)
		if c.as == nil {
			require.ErrorIs(t, err, chain.ErrEncoding, name)
		} else {
			require.True(t, errors.As(err, c.as), "%s: %v", name, err)
		}
	}
	_, err := l.Apply(s, blockOf(t, 1, good))
	require.NoError(t, err)

	// Planted: if the forged transfer were taken as verified, its block would pass. So nothing but the signature stops it.
	l.known.add([]chain.Hash{forged.ID()})
	_, err = l.Apply(s, blockOf(t, 1, liar(l, s, 1, forged)))
	require.NoError(t, err)
}

func applied(t *testing.T, l Ledger, s State, ts ...Transfer) State {
	for _, x := range ts {
		var err error
		s, err = l.Check(s, x)
		require.NoError(t, err)
	}
	return s
}

// A block of no transfers leaves the accounts as they are.
func TestEmptyBlock(t *testing.T) {
	l, s := ledgerOf(t, 1)
	after, err := l.Apply(s, blockOf(t, 1, l.Body(s, 1, nil)))
	require.NoError(t, err)
	require.Equal(t, s, after)
}

// The same signed twice with different bytes has two IDs; one of them gets on the chain.
func TestTwoSignaturesOfOneTransfer(t *testing.T) {
	l, s := ledgerOf(t, 0, 20)
	a := l.pay(1, 2, 1, 0)
	b := Sign(keyOf(1), l.genesis, Transfer{To: addressOf(2), Amount: 1, Fee: 2, Nonce: 0})
	require.NotEqual(t, a.ID(), b.ID())
	s = applied(t, l, s, a)
	_, err := l.Check(s, b)
	require.ErrorIs(t, err, ErrTransfer)
}

// What was verified once, offered or in a block, is known, and what was refused is not.
func TestVerifiedOnce(t *testing.T) {
	l, s := ledgerOf(t, 1000)
	offered, inBlock, bad := l.pay(0, 1, 1, 0), l.pay(0, 1, 1, 1), l.pay(0, 1, 1, 2)
	bad.Signature = inBlock.Signature
	_, err := l.Parse(offered.Bytes())
	require.NoError(t, err)
	_, err = l.Apply(s, blockOf(t, 1, l.Body(s, 1, []Transfer{offered, inBlock})))
	require.NoError(t, err)
	_, err = l.Parse(bad.Bytes())
	require.Error(t, err)
	for x, want := range map[chain.Hash]bool{offered.ID(): true, inBlock.ID(): true, bad.ID(): false} {
		require.Equal(t, want, l.known.has(x))
	}
}

// What is remembered of signatures changes no verdict: a ledger that forgets at once, one that remembers all, and Parse agree on every block.
func TestKnownChangesNothing(t *testing.T) {
	l, s := ledgerOf(t, 1000)
	rapid.Check(t, func(rt *rapid.T) {
		fresh := l
		fresh.known = newVerified(rapid.SampledFrom([]int{1, 2, 1000}).Draw(rt, "remembered"))
		ts := make([]Transfer, rapid.IntRange(1, 6).Draw(rt, "n"))
		firstBad := -1
		for i := range ts {
			ts[i] = l.pay(0, 1, 1, uint64(i))
			if rapid.IntRange(0, 9).Draw(rt, "spoil") == 0 {
				ts[i].Signature = slices.Clone(ts[i].Signature)
				ts[i].Signature[rapid.IntRange(0, 63).Draw(rt, "at")] ^= 1
				if firstBad < 0 {
					firstBad = i
				}
			}
			if rapid.Bool().Draw(rt, "offered") {
				_, err := fresh.Parse(ts[i].Bytes())
				require.Equal(rt, bytes.Equal(ts[i].Signature, l.pay(0, 1, 1, uint64(i)).Signature), err == nil)
			}
		}
		block := blockOf(t, 1, liar(l, s, 1, ts...))
		for range 2 {
			_, err := fresh.Apply(s, block)
			var where *BodyError
			if firstBad < 0 {
				require.NoError(rt, err)
			} else {
				require.ErrorAs(rt, err, &where)
				require.Equal(rt, firstBad, where.Transfer)
			}
		}
		require.LessOrEqual(rt, len(fresh.known.new), fresh.known.max)
		require.LessOrEqual(rt, len(fresh.known.old), fresh.known.max)
	})
}

// Of many batches, the first bad signature is named, wherever it is.
func TestFirstBadOfMany(t *testing.T) {
	l, s := ledgerOf(t, 10_000)
	n := long.N(2*batchMax+3, 2000)
	ts := make([]Transfer, n)
	for i := range ts {
		ts[i] = l.pay(0, 1, 1, uint64(i))
	}
	for _, at := range []int{0, batchMax - 1, batchMax, n - 1} {
		l.known = newVerified(verifiedMax)
		ts := slices.Clone(ts)
		ts[at].Signature = make(sign.Signature, 64)
		var where *BodyError
		_, err := l.Apply(s, blockOf(t, 1, liar(l, s, 1, ts...)))
		require.ErrorAs(t, err, &where)
		require.Equal(t, at, where.Transfer)
	}
}

// One ledger serves any number of goroutines.
func TestLedgerConcurrently(t *testing.T) {
	l, s := ledgerOf(t, 1000)
	l.known = newVerified(3)
	ts := []Transfer{l.pay(0, 1, 1, 0), l.pay(0, 1, 1, 1), l.pay(0, 1, 1, 2), l.pay(0, 1, 1, 3)}
	block := blockOf(t, 1, l.Body(s, 1, ts))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if _, err := l.Apply(s, block); err != nil {
				t.Error(err)
			}
			if _, err := l.Parse(ts[i%4].Bytes()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// FuzzBody: no body panics; what decodes is the one encoding of its transfers, and what is applied keeps the supply.
func FuzzBody(f *testing.F) {
	l, s := ledgerOf(f, 20, 20)
	f.Add(l.Body(s, 1, nil))
	f.Add(l.Body(s, 1, []Transfer{l.pay(0, 1, 2, 0), l.pay(1, 0, 1, 0)}))
	f.Add(rawBody(s.Root(), l.pay(0, 1, 2, 0)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > chain.BodyBytesMax {
			return
		}
		block := blockOf(t, 1, raw)
		after, err := l.Apply(s, block)
		if err == nil && sum(after) != sum(s) || err != nil && after != s {
			t.Fatalf("%x: %v", raw, err)
		}
		txs, err := l.Transactions(block)
		root, ts, err2 := decodeBody(raw)
		if (err == nil) != (err2 == nil) || err == nil && (len(txs) != len(ts) || !bytes.Equal(rawBody(root, ts...), raw)) {
			t.Fatalf("%x: %v, %v", raw, err, err2)
		}
	})
}
