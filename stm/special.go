package stm

// A transaction with an extra is special: its Gets and Sets go to lookup and assign. The debug mode's are, which come
// from debugTx while it is on, and the model's. They are never recycled; all others pay nothing for it.

// makeSpecial makes a run that has just begun one whose Gets and Sets ask x.
func (tx *Tx) makeSpecial(x *extraTx) {
	tx.kill()
	tx.mode, tx.extra = special, x
}

// checkedDo is checked for Do.
func checkedDo(f func(*Tx) error) func(*Tx) error {
	g := checked(func(tx *Tx) (struct{}, error) { return struct{}{}, f(tx) })
	return func(tx *Tx) error {
		_, err := g(tx)
		return err
	}
}

// checkedQuery is checked for Query and Poll.
func checkedQuery[T any](q func(*Tx) T) func(*Tx) T {
	g := checked(func(tx *Tx) (T, error) { return q(tx), nil })
	return func(tx *Tx) T {
		r, _ := g(tx)
		return r
	}
}
