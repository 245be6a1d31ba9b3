package stm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/synodkit/synod/stm"
)

// The snippets of docs/from-mutexes.md. What is called locked... is the program before.

type lockedAccount struct {
	id      int // locks are taken in the order of ids
	mu      sync.Mutex
	balance int
}

func payLocked(from, to *lockedAccount, n int) error {
	if from == to {
		return nil // a lock is not taken twice
	}
	first, second := from, to
	if second.id < first.id {
		first, second = second, first
	}
	first.mu.Lock()
	defer first.mu.Unlock()
	second.mu.Lock()
	defer second.mu.Unlock()
	if from.balance < n {
		return errFunds
	}
	from.balance -= n
	to.balance += n
	return nil
}

type account struct{ balance *stm.Var[int] }

func (a account) withdraw(tx *stm.Tx, n int) error {
	balance := a.balance.Get(tx)
	if balance < n {
		return errFunds
	}
	a.balance.Set(tx, balance-n)
	return nil
}

func (a account) deposit(tx *stm.Tx, n int) { a.balance.Set(tx, a.balance.Get(tx)+n) }

func pay(ctx context.Context, from, to account, n int) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		to.deposit(tx, n)
		return from.withdraw(tx, n) // its error takes the deposit back
	})
}

// The same bank with a lock an account, and with a Var an account.
func Example_fromMutexes() {
	ctx := context.Background()
	a, b := &lockedAccount{id: 1, balance: 10}, &lockedAccount{id: 2}
	fmt.Println(payLocked(a, b, 7), payLocked(a, b, 7), a.balance, b.balance)

	c, d := account{stm.NewVar(10)}, account{stm.NewVar(0)}
	fmt.Println(pay(ctx, c, d, 7), pay(ctx, c, d, 7), c.balance.Load(ctx), d.balance.Load(ctx))
	// Output:
	// <nil> insufficient funds 3 7
	// <nil> insufficient funds 3 7
}

type lockedBuffer struct {
	mu              sync.Mutex
	notEmpty, space sync.Cond // L is &mu
	items           []string
	max             int
}

func (b *lockedBuffer) put(item string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.items) == b.max {
		b.space.Wait()
	}
	b.items = append(b.items, item)
	b.notEmpty.Signal()
}

func (b *lockedBuffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.items) == 0 {
		b.notEmpty.Wait()
	}
	item := b.items[0]
	b.items = b.items[1:]
	b.space.Signal()
	return item
}

type buffer struct {
	items *stm.Var[[]string]
	max   int
}

func (b buffer) put(tx *stm.Tx, item string) {
	items := b.items.Get(tx)
	tx.Check(len(items) < b.max)
	b.items.Set(tx, append(slices.Clip(items), item)) // a new array: others may have the old one
}

func (b buffer) take(tx *stm.Tx) string {
	items := b.items.Get(tx)
	tx.Check(len(items) > 0)
	b.items.Set(tx, items[1:])
	return items[0]
}

func newBuffer(items ...string) buffer { return buffer{stm.NewVar(items), 2} }

// A condition is waited for; nobody signals.
func Example_fromMutexesCond() {
	ctx := context.Background()
	l := &lockedBuffer{max: 2}
	l.notEmpty.L, l.space.L = &l.mu, &l.mu
	b := newBuffer()
	var wg sync.WaitGroup
	wg.Go(func() {
		for _, item := range []string{"one", "two", "three"} {
			l.put(item)
			_ = stm.Do(ctx, func(tx *stm.Tx) error { b.put(tx, item); return nil })
		}
	})
	for range 3 {
		item, err := stm.Query(ctx, b.take)
		fmt.Println(l.take(), item, err)
	}
	wg.Wait()
	// Output:
	// one one <nil>
	// two two <nil>
	// three three <nil>
}

// What two locks and two condition variables cannot do: both or neither, and whichever comes first.
func Example_fromMutexesTogether() {
	ctx := context.Background()
	a, b, out := newBuffer("x"), newBuffer("y"), newBuffer("z")

	err := stm.Do(ctx, func(tx *stm.Tx) error {
		out.put(tx, a.take(tx)) // waits for an item of a and for room in out, holding neither
		return nil
	})
	fmt.Println(err, a.items.Load(ctx), out.items.Load(ctx))

	item, err := stm.Query(ctx, func(tx *stm.Tx) string { return stm.OrElse(tx, a.take, b.take) })
	fmt.Println(item, err)
	// Output:
	// <nil> [] [z x]
	// y <nil>
}

var errShutdown = errors.New("shutting down")

// A wait ends with its context, which sync.Cond knows nothing of.
func Example_fromMutexesCancel() {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errShutdown)
	_, err := stm.Query(ctx, newBuffer().take)
	fmt.Println(errors.Is(err, context.Canceled), errors.Is(err, errShutdown))
	// Output: true true
}

// journal holds lines that are pending until they are written somewhere slow.
type journal struct {
	busy    *stm.Var[bool]
	pending *stm.Var[[]string]
}

func (j journal) flush(ctx context.Context, write func([]string) error) error {
	batch, err := stm.Query(ctx, func(tx *stm.Tx) []string {
		tx.Check(!j.busy.Get(tx))
		j.busy.Set(tx, true)
		return j.pending.Get(tx)
	})
	if err != nil {
		return err
	}
	written := 0
	defer func() {
		_ = stm.Do(context.WithoutCancel(ctx), func(tx *stm.Tx) error {
			j.busy.Set(tx, false)
			j.pending.Set(tx, j.pending.Get(tx)[written:])
			return nil
		})
	}()
	if err := write(batch); err != nil {
		return err
	}
	written = len(batch)
	return nil
}

// What was done under a lock and takes long: claim, work, settle.
func Example_fromMutexesSlowWork() {
	ctx := context.Background()
	j := journal{stm.NewVar(false), stm.NewVar([]string{"a", "b"})}
	err := j.flush(ctx, func(lines []string) error {
		_ = stm.Do(ctx, func(tx *stm.Tx) error { // others go on meanwhile
			j.pending.Set(tx, append(slices.Clip(j.pending.Get(tx)), "c"))
			return nil
		})
		fmt.Println("wrote", lines)
		return nil
	})
	fmt.Println(err, j.busy.Load(ctx), j.pending.Load(ctx))
	fmt.Println(j.flush(ctx, func([]string) error { return errFunds }), j.busy.Load(ctx), j.pending.Load(ctx))
	// Output:
	// wrote [a b]
	// <nil> false [c]
	// insufficient funds false [c]
}

// settings change together and are read much more often than written: one Var.
type settings struct {
	host string
	port int
}

// Two steps where there must be one, a body that appends, a value that is changed in its place: the three usual mistakes,
// right.
func Example_fromMutexesTraps() {
	ctx := context.Background()
	free := stm.NewVar(1)
	err := stm.Do(ctx, func(tx *stm.Tx) error { // look and act in one transaction
		tx.Check(free.Get(tx) > 0)
		free.Set(tx, free.Get(tx)-1)
		return nil
	})
	fmt.Println(err, free.Load(ctx))

	waiting := []buffer{newBuffer("p"), newBuffer(), newBuffer("q")}
	var found []string
	err = stm.Do(ctx, func(tx *stm.Tx) error {
		found = nil // a run that is undone has appended too
		for _, b := range waiting {
			found = append(found, b.items.Get(tx)...)
		}
		return nil
	})
	fmt.Println(err, found)

	current := stm.NewVar(settings{"localhost", 80})
	err = stm.Do(ctx, func(tx *stm.Tx) error {
		next := current.Get(tx) // a copy
		next.port = 443
		current.Set(tx, next)
		return nil
	})
	fmt.Println(err, current.Load(ctx))
	// Output:
	// <nil> 0
	// <nil> [p q]
	// <nil> {localhost 443}
}
