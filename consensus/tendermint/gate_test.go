package tendermint

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/consensus"
)

// tester is a gate of validator set 0, 1, 2, 3 at height 5, round 2, epoch 1, whose signatures are the first byte of the author's ID.
type tester struct {
	*gate
	verified int
}

func newTester() *tester {
	g := &tester{}
	g.gate = newGate(Limits{BlockBytes: 100, Rounds: 4, Heights: 2, EarlyBytes: 400}, func(claims []consensus.Claim) (bad []int) {
		for i, c := range claims {
			if g.verified++; c.Signature[0] != c.Author[0] {
				bad = append(bad, i)
			}
		}
		return bad
	})
	g.enter(at{epoch: 1, height: 5, round: 2, set: fourEqual(), leader: func(r Round) int { return int(r) % 4 }})
	return g
}

// vote is a valid one.
func vote5(author int, r Round, v byte) Message {
	sig := make([]byte, signatureBytes)
	sig[0] = "0123"[author%4]
	return Message{Kind: Prevote, Epoch: 1, Height: 5, Round: r, ValidRound: NoRound, Value: Value{v}, Author: author, Signature: sig}
}

func proposal5(author int, r Round, block string) Message {
	m := vote5(author, r, 0)
	m.Kind, m.Block, m.Value = Proposal, []byte(block), valueOf([]byte(block))
	return m
}

func (g *tester) one(m Message) error {
	_, errs := g.admit([]incoming{{"peer", m.Bytes()}})
	return errs[0]
}

// Each fault is met before any signature is verified, but for a wrong one.
func TestGateRefuses(t *testing.T) {
	for what, x := range map[string]struct {
		change   func(m *Message)
		kind     error
		verified int
	}{
		"nothing wrong":    {func(*Message) {}, nil, 1},
		"old height":       {func(m *Message) { m.Height = 4 }, ErrStale, 0},
		"next height":      {func(m *Message) { m.Height = 6 }, ErrEarly, 0},
		"far height":       {func(m *Message) { m.Height = 8 }, ErrEarly, 0},
		"other epoch":      {func(m *Message) { m.Epoch = 2 }, ErrRefused, 0},
		"no member":        {func(m *Message) { m.Author = 4 }, ErrRefused, 0},
		"far round":        {func(m *Message) { m.Round = 7 }, ErrEarly, 0},
		"last of window":   {func(m *Message) { m.Round = 6 }, nil, 1},
		"another's":        {func(m *Message) { m.Author = 0 }, ErrRefused, 1},
		"malformed":        {func(m *Message) { m.ValidRound = 1 }, ErrMessage, 0},
		"not the proposer": {func(m *Message) { *m = proposal5(1, 2, "b") }, ErrRefused, 0},
		"the proposer":     {func(m *Message) { *m = proposal5(2, 2, "b") }, nil, 1},
		"another block":    {func(m *Message) { *m = proposal5(2, 2, "b"); m.Block = []byte("c") }, ErrRefused, 0},
		"oversize":         {func(m *Message) { *m = proposal5(2, 2, string(make([]byte, 101))) }, ErrRefused, 0},
		"largest":          {func(m *Message) { *m = proposal5(2, 2, string(make([]byte, 100))) }, nil, 1},
	} {
		g, m := newTester(), vote5(1, 2, 7)
		x.change(&m)
		require.ErrorIs(t, g.one(m), x.kind, what)
		require.Equal(t, x.verified, g.verified, what)
	}
}

// What is replayed costs no signature; of a validator that contradicts itself two things are kept, and more only if they can matter.
func TestGateAndRepetition(t *testing.T) {
	g := newTester()
	require.NoError(t, g.one(vote5(3, 2, 1)))
	for range 5 {
		require.ErrorIs(t, g.one(vote5(3, 2, 1)), ErrStale)
	}
	require.Equal(t, 1, g.verified)
	require.NoError(t, g.one(vote5(3, 2, 2)), "the evidence")
	require.ErrorIs(t, g.one(vote5(3, 2, 3)), ErrStale, "nobody else wants 3")
	require.NoError(t, g.one(vote5(0, 2, 3)))
	require.ErrorIs(t, g.one(vote5(3, 2, 3)), ErrStale, "one may be as faulty")
	require.NoError(t, g.one(vote5(1, 2, 3)))
	require.NoError(t, g.one(vote5(3, 2, 3)), "now a quorum may need it")
	require.NoError(t, g.one(vote5(3, 3, 3)), "another round")

	facts, errs := g.admit([]incoming{{"a", vote5(2, 2, 1).Bytes()}, {"b", vote5(2, 2, 1).Bytes()}})
	require.Len(t, facts, 1, "twice in one batch")
	require.ErrorIs(t, errs[1], ErrStale)
	facts, _ = g.admit([]incoming{{"a", vote5(2, 5, 1).Bytes()}, {"a", vote5(2, 5, 2).Bytes()}, {"a", vote5(2, 5, 3).Bytes()}})
	require.Len(t, facts, 2, "three things in one batch")
}

// Messages that come too early are kept within bounds, by sender, and looked at in their time.
func TestGateKeepsWhatIsEarly(t *testing.T) {
	g := newTester()
	next := vote5(1, 0, 1)
	next.Height = 6
	size := len(next.Bytes())
	for i := range 20 {
		next.Round = Round(i)
		require.ErrorIs(t, g.one(next), ErrEarly)
	}
	require.Len(t, g.early, 400/size)
	other := vote5(2, 0, 1)
	other.Height = 6
	_, errs := g.admit([]incoming{{"another", other.Bytes()}})
	require.ErrorIs(t, errs[0], ErrEarly)
	require.Len(t, g.early, 400/size+1, "the flood of one leaves room for others")
	require.Zero(t, g.verified)

	a := g.at
	a.height, a.round = 6, 0
	facts, _ := g.admit(g.enter(a))
	require.Len(t, facts, 400/size+1)
	require.Empty(t, g.early)
	require.Empty(t, g.held)
	require.Nil(t, g.enter(a), "the same height again")
}

// A batch with bad signatures in it lets the others in, and says which are bad.
func TestGateBatch(t *testing.T) {
	g := newTester()
	forged := vote5(2, 2, 1)
	forged.Author = 1
	facts, errs := g.admit([]incoming{{"a", vote5(0, 2, 1).Bytes()}, {"b", forged.Bytes()}, {"c", []byte{1, 2}}, {"d", vote5(3, 2, 1).Bytes()}})
	require.Len(t, facts, 2)
	require.NoError(t, errors.Join(errs[0], errs[3]))
	require.ErrorIs(t, errs[1], ErrRefused)
	require.ErrorIs(t, errs[2], ErrMessage)
	require.NoError(t, g.one(vote5(1, 2, 1)), "a forgery does not keep out the true one")
}

func TestPolkaIsRepeated(t *testing.T) {
	g := newTester()
	for i := range 4 {
		require.NoError(t, g.one(vote5(i, 1, byte(i%2))))
	}
	require.Len(t, g.polka(1, Value{1}), 2)
	require.Empty(t, g.polka(2, Value{1}))
}

// The window follows those who are ahead, as the rules will.
func TestGateWindowMoves(t *testing.T) {
	g := newTester()
	require.ErrorIs(t, g.one(vote5(0, 10, 1)), ErrEarly)
	require.NoError(t, g.one(vote5(0, 6, 1)))
	require.ErrorIs(t, g.one(vote5(0, 10, 1)), ErrEarly, "one may be faulty")
	commit := vote5(0, 6, 1)
	commit.Kind = Precommit
	require.NoError(t, g.one(commit))
	require.ErrorIs(t, g.one(vote5(0, 10, 1)), ErrEarly, "the same one")
	require.NoError(t, g.one(vote5(1, 6, 1)))
	require.NoError(t, g.one(vote5(0, 10, 1)))
}

// No bytes make the gate panic, or get in without a signature.
func FuzzGate(f *testing.F) {
	f.Add(vote5(1, 2, 7).Bytes())
	f.Add(proposal5(2, 2, "b").Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		g := newTester()
		facts, errs := g.admit([]incoming{{"x", b}, {"x", b}})
		require.Len(t, errs, 2)
		require.LessOrEqual(t, len(facts), 1)
		require.Equal(t, len(facts) == 1, errs[0] == nil)
		require.Error(t, errs[1])
	})
}
