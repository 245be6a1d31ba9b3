package coin

import (
	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/consensus/leaderschedule"
)

// Ledger gives blocks their meaning: it is the Ledger of a node of State and Transfer. All methods are pure functions of their arguments and
// of the genesis, never panic, and may be called by any number of goroutines.
type Ledger struct {
	genesis  chain.Hash
	schedule *leaderschedule.Schedule
	known    *verified
	supply   uint64 // of the genesis, for ever
}

// NewLedger is the ledger of a genesis, whose field Ledger holds allocations, and the state it starts from. The error is a *chain.GenesisError.
func NewLedger(g chain.Genesis) (Ledger, State, error) {
	schedule, err := leaderschedule.New(g)
	if err != nil {
		return Ledger{}, State{}, err
	}
	s, err := initial(g)
	if err != nil {
		return Ledger{}, State{}, err
	}
	return Ledger{g.Hash(), schedule, newVerified(verifiedMax), s.supply}, s, nil
}

// Leader is the address that the fees of a slot's block go to: that of the key whose slot it is.
func (l Ledger) Leader(slot chain.Slot) Address {
	return AddressOf(l.schedule.Key(l.schedule.Leader(slot)))
}

// Parse decodes a transfer and checks all that needs no state, cheapest first: form, network, signature. The error is a *[MalformedError],
// *[NetworkError] or *[SignatureError].
func (l Ledger) Parse(raw []byte) (Transfer, error) {
	t, err := ParseTransfer(raw)
	if err != nil {
		return Transfer{}, err
	}
	if err := l.ours(t); err != nil {
		return Transfer{}, err
	}
	if _, err := l.verify([]Transfer{t}); err != nil {
		return Transfer{}, err
	}
	return t, nil
}

func (l Ledger) ours(t Transfer) error {
	if want := networkOf(l.genesis); t.Network != want {
		return &NetworkError{want, t.Network}
	}
	return nil
}

// Check is the state after a transfer, its fee not yet credited, or why it is not valid there: a *[NonceError], a *[FundsError], or what
// [Ledger.Parse] would say. It does all but verify the signature, which Parse did.
func (l Ledger) Check(s State, t Transfer) (State, error) {
	if err := t.check(); err != nil {
		return s, err
	}
	if err := l.ours(t); err != nil {
		return s, err
	}
	from := AddressOf(t.From)
	sender, need := s.Account(from), t.Amount+t.Fee // does not overflow: t.check
	if t.Nonce != sender.Next {
		return s, &NonceError{from, sender.Next, t.Nonce}
	}
	if need > sender.Balance {
		return s, &FundsError{from, sender.Balance, need}
	}
	sender.Balance -= need
	sender.Next++
	s = s.set(from, sender)
	s.fees += t.Fee
	return s.credit(t.To, t.Amount), nil // read anew: a transfer to oneself
}
