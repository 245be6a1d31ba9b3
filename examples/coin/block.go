package coin

import "github.com/synodkit/synod/chain"

// BodyOverhead is what a block's body holds beside its encoded transfers, at most, in bytes.
const BodyOverhead = 38

// body is a block's body.
type body struct {
	_         struct{}   `cbor:",toarray"`
	Root      chain.Hash // of the accounts after the transfers, fees credited
	Transfers []envelope
}

// Body is the body of a block that holds transfers already valid in this order on s: what [Ledger.Apply] accepts in a block of that slot.
// A transfer that is not valid after all is left out. It has at most [BodyOverhead] bytes more than its transfers.
func (l Ledger) Body(s State, slot chain.Slot, ts []Transfer) []byte {
	var b body
	for _, t := range ts {
		if next, err := l.Check(s, t); err == nil {
			s, b.Transfers = next, append(b.Transfers, t.envelope())
		}
	}
	b.Root = s.settle(l.Leader(slot)).Root()
	return must(chain.Marshal(b))
}

// Transactions are the transfers of a block as their bytes, in order. The error is a *[BodyError].
func (l Ledger) Transactions(b chain.Block) ([][]byte, error) {
	_, ts, err := decodeBody(b.Body)
	if err != nil {
		return nil, err
	}
	raw := make([][]byte, len(ts))
	for i, t := range ts {
		raw[i] = t.Bytes()
	}
	return raw, nil
}

// Apply is the state after a block, or why it is not valid there, as a *[BodyError]. It looks at what is cheap first: the form, each transfer
// in its order, the root; the signatures last, together.
func (l Ledger) Apply(s State, b chain.Block) (State, error) {
	root, ts, err := decodeBody(b.Body)
	if err != nil {
		return s, err
	}
	after := s
	for i, t := range ts {
		if after, err = l.Check(after, t); err != nil {
			return s, &BodyError{i, err}
		}
	}
	after = after.settle(l.Leader(b.Header.Slot()))
	if got := after.Root(); got != root {
		return s, &BodyError{-1, &RootError{Want: got, Got: root}}
	}
	if i, err := l.verify(ts); err != nil {
		return s, &BodyError{i, err}
	}
	return after.follow(s), nil
}

// decodeBody reads a body. Its form is canonical; its transfers are not yet judged.
func decodeBody(raw []byte) (root chain.Hash, ts []Transfer, err error) {
	var b body
	if err := chain.Unmarshal(raw, &b); err != nil {
		return root, nil, &BodyError{-1, err}
	}
	ts = make([]Transfer, len(b.Transfers))
	for i, e := range b.Transfers {
		ts[i] = e.transfer()
	}
	return b.Root, ts, nil
}
