package stm

// OrElse runs second if first retries, with first's effects undone. If both retry, the transaction waits for what
// either has read.
func OrElse[T any](tx *Tx, first, second func(tx *Tx) T) T {
	tx.live()
	if r, ok := branch(tx, first); ok {
		return r
	}
	return last(tx, second)
}

// last runs f between savepoints and lets all unwinding pass.
func last[T any](tx *Tx, f func(*Tx) T) T {
	s := tx.save()
	done := false
	defer func() {
		if !done {
			tx.undoTo(s)
		}
	}()
	r := f(tx)
	done = true
	tx.keep(s)
	return r
}

// branch runs f between savepoints. ok is false if it has retried. Whatever else leaves f by a panic undoes it too.
func branch[T any](tx *Tx, f func(*Tx) T) (r T, ok bool) {
	s := tx.save()
	defer func() {
		if ok {
			tx.keep(s)
			return
		}
		tx.undoTo(s)
		if tx.end == retried && recover() != nil {
			tx.revive()
		}
	}()
	r = f(tx)
	if tx.end != finished { // f has recovered an unwinding, or ignored an ErrRetry
		panic(unwinding{})
	}
	return r, true
}

// Select runs alternatives in order and gives the result of the first that does not retry, by Retry or, cheaper, by
// returning ErrRetry. An alternative that fails with another error is undone and ends the selection with that error.
// If all retry, Select has retried: it returns ErrRetry, and the transaction can do nothing but return it.
func Select[T any](tx *Tx, alternatives ...func(tx *Tx) (T, error)) (T, error) {
	tx.live()
	for left := alternatives; len(left) > 0; {
		var r T
		var err error
		var done bool
		if r, left, done, err = firstOf(tx, left); done {
			return r, err
		}
	}
	tx.doomQuietly(retried)
	var none T
	return none, ErrRetry
}

// firstOf runs alternatives between savepoints until one does not retry; done says that one has not. An alternative
// that retries by a panic ends the loop, and left are those after it. So a Select whose alternatives return ErrRetry
// sets up one recover for them all.
func firstOf[T any](tx *Tx, alternatives []func(*Tx) (T, error)) (r T, left []func(*Tx) (T, error), done bool, err error) {
	i, returned := 0, false
	s := tx.save()
	defer func() {
		if returned {
			return
		}
		tx.undoTo(s)
		if tx.end == retried && recover() != nil {
			tx.revive()
			left = alternatives[i+1:]
		}
	}()
	for ; i < len(alternatives); i++ {
		r, err = alternatives[i](tx)
		if tx.end == aborted { // it has recovered an unwinding
			panic(unwinding{})
		}
		if tx.end == finished && (err == nil || !isRetry(err)) {
			done = true
			break
		}
		tx.undoTo(s)
		tx.revive()
		s = tx.save()
	}
	if returned = true; !done || err == nil {
		tx.keep(s)
	} else {
		tx.undoTo(s)
	}
	return r, nil, done, err
}

// Try runs f as a part of tx that can fail alone: an error undoes f, and f only, and is returned. Retry passes through
// to the nearest OrElse, Select or Atomically; so does a panic, with f undone.
func Try(tx *Tx, f func(tx *Tx) error) error {
	tx.live()
	s := tx.save()
	done := false
	defer func() {
		if !done {
			tx.undoTo(s)
		}
	}()
	err := f(tx)
	if tx.end == aborted {
		panic(unwinding{})
	}
	done = true
	switch {
	case tx.end == retried || err != nil && isRetry(err):
		tx.undoTo(s)
		tx.doomQuietly(retried)
		return ErrRetry
	case err != nil:
		tx.undoTo(s)
	default:
		tx.keep(s)
	}
	return err
}
