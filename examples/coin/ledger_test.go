package coin

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/chain"
)

// step is one attempt to transfer, among four accounts; nonces are counted from the sender's next.
type step struct {
	From, To    int
	Amount, Fee uint64
	Skew        int
	Settle      bool // afterwards, to account 0
}

// rules are how a transfer changes a state: [Ledger.Check], or a broken variant of it.
type rules func(l Ledger, s State, t Transfer) (State, error)

// judgeRules runs steps against a naive model in unbounded integers, and reports the first difference: in the verdict, in an account, in the supply.
func judgeRules(l Ledger, s State, steps []step, check rules) error {
	model := maps.Collect(s.Accounts())
	supply, fees := s.Supply(), uint64(0)
	for i, x := range steps {
		from, to := addressOf(x.From), addressOf(x.To)
		sender := model[from]
		t := Transfer{
			Network: networkOf(l.genesis), From: keyOf(x.From).Public(), To: to, Amount: x.Amount, Fee: x.Fee,
			Nonce: sender.Next + uint64(x.Skew), Signature: make([]byte, 64),
		}
		need := new(big.Int).Add(new(big.Int).SetUint64(x.Amount), new(big.Int).SetUint64(x.Fee))
		valid := x.Skew == 0 && x.Amount > 0 && x.Fee > 0 && need.Cmp(new(big.Int).SetUint64(sender.Balance)) <= 0
		after, err := check(l, s, t)
		if valid != (err == nil) {
			return fmt.Errorf("step %d: %+v: %v", i, x, err)
		}
		if err == nil {
			model[from] = Account{sender.Balance - x.Amount - x.Fee, sender.Next + 1}
			model[to] = Account{model[to].Balance + x.Amount, model[to].Next}
			fees += x.Fee
		}
		if s = after; x.Settle {
			s = s.settle(addressOf(0))
			if fees > 0 {
				model[addressOf(0)] = Account{model[addressOf(0)].Balance + fees, model[addressOf(0)].Next}
			}
			fees = 0
		}
		if got := maps.Collect(s.Accounts()); !maps.Equal(got, model) {
			return fmt.Errorf("step %d: accounts are %v instead of %v", i, got, model)
		}
		if s.Supply() != supply || sum(s) != supply {
			return fmt.Errorf("step %d: the supply was %d, is %d, and the accounts have %d", i, supply, s.Supply(), sum(s))
		}
	}
	return nil
}

func amounts(rt *rapid.T, label string) uint64 {
	return rapid.OneOf(rapid.Uint64Range(0, 5), rapid.Uint64Range(0, 5), rapid.Uint64(), rapid.SampledFrom([]uint64{math.MaxUint64, math.MaxUint64 - 1, 1 << 63})).
		Draw(rt, label)
}

// Whatever is tried, valid or not, accounts are those of the model, and nothing is made or lost: also with a supply of all that 64 bits hold.
func TestCheckIsTheModel(t *testing.T) {
	for _, funds := range [][]uint64{{10, 10, 10}, {3, 0, math.MaxUint64 - 3}, {}} {
		l, s := ledgerOf(t, funds...)
		rapid.Check(t, func(rt *rapid.T) {
			steps := make([]step, rapid.IntRange(0, 25).Draw(rt, "steps"))
			for i := range steps {
				steps[i] = step{
					From: rapid.IntRange(0, 3).Draw(rt, "from"), To: rapid.IntRange(0, 3).Draw(rt, "to"),
					Amount: amounts(rt, "amount"), Fee: amounts(rt, "fee"),
					Skew: rapid.SampledFrom([]int{0, 0, 0, 0, -1, 1}).Draw(rt, "skew"), Settle: rapid.Bool().Draw(rt, "settle"),
				}
			}
			require.NoError(rt, judgeRules(l, s, steps, Ledger.Check))
		})
	}
}

func randomSteps(seed uint64) []step {
	r := rand.New(rand.NewPCG(seed, 0))
	steps := make([]step, 40)
	for i := range steps {
		steps[i] = step{From: r.IntN(4), To: r.IntN(4), Amount: r.Uint64N(4), Fee: r.Uint64N(4), Settle: r.IntN(3) == 0}
		switch r.IntN(8) {
		case 0:
			steps[i].Skew = 1 - 2*r.IntN(2)
		case 1:
			steps[i].Amount = math.MaxUint64
		}
	}
	return steps
}

// Planted: each classical mistake is found by the judge that finds none in Check.
func TestCheckPlanted(t *testing.T) {
	l, s := ledgerOf(t, 10, 10, 10)
	plants := map[string]rules{
		"a nonce that stays": func(l Ledger, s State, t Transfer) (State, error) {
			after, err := l.Check(s, t)
			if err == nil {
				x := after.Account(AddressOf(t.From))
				x.Next--
				after.accounts = after.accounts.put(AddressOf(t.From), x)
			}
			return after, err
		},
		"any nonce that was not used": func(l Ledger, s State, t Transfer) (State, error) {
			t.Nonce = min(t.Nonce, s.Account(AddressOf(t.From)).Next)
			return l.Check(s, t)
		},
		"a sum that wraps": func(l Ledger, s State, t Transfer) (State, error) {
			if t.Amount+t.Fee < t.Amount {
				t.Amount, t.Fee = t.Amount+t.Fee-1, 1
			}
			return l.Check(s, t)
		},
		"a receiver read before the sender paid": func(l Ledger, s State, t Transfer) (State, error) {
			after, err := l.Check(s, t)
			if err == nil {
				x := s.Account(t.To)
				x.Balance += t.Amount
				after.accounts = after.accounts.put(t.To, x)
			}
			return after, err
		},
		"a fee that nobody gets": func(l Ledger, s State, t Transfer) (State, error) {
			after, err := l.Check(s, t)
			after.fees = 0
			return after, err
		},
		"a fee that nobody pays": func(l Ledger, s State, t Transfer) (State, error) {
			after, err := l.Check(s, t)
			if err == nil {
				after = after.credit(AddressOf(t.From), t.Fee)
			}
			return after, err
		},
		"an amount without a fee in the funds": func(l Ledger, s State, t Transfer) (State, error) {
			rich, err := l.Check(s.credit(AddressOf(t.From), t.Fee), t)
			if x := rich.Account(AddressOf(t.From)); err == nil && t.To != AddressOf(t.From) {
				x.Balance -= min(t.Fee, x.Balance)
				rich.accounts = rich.accounts.put(AddressOf(t.From), x)
				return rich, nil
			}
			return l.Check(s, t)
		},
	}
	for name, plant := range plants {
		found := 0
		for seed := range uint64(20) {
			require.NoError(t, judgeRules(l, s, randomSteps(seed), Ledger.Check), seed)
			if judgeRules(l, s, randomSteps(seed), plant) != nil {
				found++
			}
		}
		require.Positive(t, found, name)
	}
}

func TestRefusals(t *testing.T) {
	l, s := ledgerOf(t, 0, 10)
	after, err := l.Check(s, l.pay(1, 2, 4, 0))
	require.NoError(t, err)
	require.Equal(t, Account{Balance: 5, Next: 1}, after.Account(addressOf(1)))
	require.Equal(t, Account{Balance: 10}, s.Account(addressOf(1)), "the state before stays")

	var nonce *NonceError
	_, err = l.Check(after, l.pay(1, 2, 4, 0))
	require.ErrorAs(t, err, &nonce)
	require.Equal(t, NonceError{addressOf(1), 1, 0}, *nonce)
	require.EqualError(t, err, "coin: transfer refused: "+addressOf(1).String()+" has made its transfer of nonce 0 already, the next is 1")
	_, err = l.Check(after, l.pay(1, 2, 4, 7))
	require.ErrorAs(t, err, &nonce)
	require.EqualError(t, err, "coin: transfer refused: nonce 7 is too early, the next of "+addressOf(1).String()+" is 1")

	var funds *FundsError
	same, err := l.Check(after, l.pay(1, 2, 5, 1))
	require.ErrorAs(t, err, &funds)
	require.Equal(t, FundsError{addressOf(1), 5, 6}, *funds)
	require.Equal(t, after, same)
	require.EqualError(t, err, "coin: transfer refused: "+addressOf(1).String()+" has 5, amount and fee need 6")
	_, err = l.Check(after, l.pay(3, 2, 1, 0))
	require.ErrorAs(t, err, &funds)
	require.Equal(t, FundsError{addressOf(3), 0, 2}, *funds, "an account that never was")
	_, err = l.Check(after, l.pay(1, 2, math.MaxUint64-1, 1))
	require.ErrorAs(t, err, &funds)
	var form *MalformedError
	_, err = l.Check(after, l.pay(1, 2, math.MaxUint64, 1))
	require.ErrorAs(t, err, &form)
	for _, err := range []error{nonce, funds} {
		require.ErrorIs(t, err, ErrTransfer)
	}
}

// To oneself, a transfer costs its fee; from a leader to itself in its own slot, nothing.
func TestToOneself(t *testing.T) {
	l, s := ledgerOf(t, 10, 10, 10)
	body := l.Body(s, 2, []Transfer{l.pay(2, 2, 9, 0), l.pay(0, 0, 9, 0), l.pay(0, 1, 1, 1), l.pay(1, 0, 3, 0)})
	after, err := l.Apply(s, blockOf(t, 2, body)) // the slot of key 0
	require.NoError(t, err)
	require.Equal(t, addressOf(0), l.Leader(2))
	require.Equal(t, Account{Balance: 9, Next: 1}, after.Account(addressOf(2)))
	require.Equal(t, Account{Balance: 10 - 2 - 1 + 3 + 4, Next: 2}, after.Account(addressOf(0)))
	require.Equal(t, Account{Balance: 10 + 1 - 4, Next: 1}, after.Account(addressOf(1)))
	require.Equal(t, uint64(30), sum(after))
	require.Zero(t, after.fees)
}

func TestGenesis(t *testing.T) {
	_, s := ledgerOf(t, 0, 5, math.MaxUint64-5)
	require.Equal(t, uint64(math.MaxUint64), s.Supply())
	require.Equal(t, uint64(math.MaxUint64), sum(s))
	for name, as := range map[string][]Allocation{
		"twice":     {{Address: addressOf(1), Amount: 1}, {Address: addressOf(1), Amount: 2}},
		"nothing":   {{Address: addressOf(1)}},
		"too much":  {{Address: addressOf(1), Amount: math.MaxUint64}, {Address: addressOf(2), Amount: 1}},
		"many, all": make([]Allocation, 20_000),
	} {
		_, err := EncodeAllocations(as)
		var bad *chain.GenesisError
		require.ErrorAs(t, err, &bad, name)
		require.Equal(t, "Ledger", bad.Field)
		g := genesisOf(t)
		g.Ledger = must(chain.Marshal(as))
		_, _, err = NewLedger(g)
		require.ErrorIs(t, err, chain.ErrGenesis, name)
	}
	for _, raw := range [][]byte{{0xff}, {0x80, 0}, {0x98, 0}, {0x81, 0x80}, {0xf6}, []byte("text")} {
		g := genesisOf(t)
		g.Ledger = raw
		_, _, err := NewLedger(g)
		require.ErrorIs(t, err, chain.ErrGenesis, "%x", raw)
	}
	g := genesisOf(t)
	g.Ledger = nil
	_, empty, err := NewLedger(g)
	require.NoError(t, err)
	require.Equal(t, State{}, empty)
	g.Keys = append(g.Keys, g.Keys[0])
	_, _, err = NewLedger(g)
	require.ErrorIs(t, err, chain.ErrGenesis)
}

// Allocations in another order are another genesis, and the same accounts.
func TestAllocationOrder(t *testing.T) {
	as := []Allocation{{Address: addressOf(1), Amount: 1}, {Address: addressOf(2), Amount: 2}}
	g := genesisOf(t)
	var roots []chain.Hash
	for range 2 {
		raw, err := EncodeAllocations(as)
		require.NoError(t, err)
		g.Ledger = raw
		_, s, err := NewLedger(g)
		require.NoError(t, err)
		roots = append(roots, s.Root())
		as[0], as[1] = as[1], as[0]
	}
	require.Equal(t, roots[0], roots[1])
}

func FuzzDecodeAllocations(f *testing.F) {
	f.Add(genesisOf(f, 1, 2, 3).Ledger)
	f.Fuzz(func(t *testing.T, raw []byte) {
		as, err := DecodeAllocations(raw)
		if err != nil {
			if !errors.Is(err, chain.ErrGenesis) {
				t.Fatal(err)
			}
			return
		}
		again, err := EncodeAllocations(as)
		if err != nil || len(raw) > 0 && string(again) != string(raw) {
			t.Fatalf("%x became %x, %v", raw, again, err)
		}
	})
}
