package proptest_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/prop/proptest"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

func simulate(seed uint64, scenario func(ctx context.Context) error) (uint64, error) {
	r := sim.Run(seed, scenario)
	return r.Hash, r.Err
}

// list is the simplest primitive there is, with a choice of bugs.
type list struct {
	props  prop.Props
	bug    string
	held   *stm.Var[[]int]
	missed *stm.Var[int]
	closed *stm.Var[bool]
	loose  []int // what a list that forgets about transactions holds
}

func newList(p prop.Props, bug string) *list {
	return &list{props: p, bug: bug, held: stm.NewVar[[]int](nil), missed: stm.NewVar(0), closed: stm.NewVar(false)}
}

func (l *list) Props() prop.Props { return l.props }

func (l *list) Close(tx *stm.Tx) {
	l.closed.Set(tx, true)
	if l.bug == "forgets at close" {
		l.held.Set(tx, nil)
	}
}

func (l *list) get(tx *stm.Tx) []int {
	if l.bug == "not transactional" {
		return l.loose
	}
	return l.held.Get(tx)
}

func (l *list) set(tx *stm.Tx, held []int) {
	if l.bug == "not transactional" {
		l.loose = held
	}
	l.held.Set(tx, held)
}

func (l *list) Put(tx *stm.Tx, v int) (lost prop.Lost[int], err error) {
	if l.closed.Get(tx) && l.bug != "open after close" {
		return lost, prop.ErrClosed
	}
	held := slices.Clone(l.get(tx))
	if l.props.Full == prop.Merges {
		for i, old := range held {
			if proptest.Class(old) == proptest.Class(v) {
				held[i] = l.merge(old, v)
				l.set(tx, held)
				return lost, nil
			}
		}
	}
	capacity := l.props.Capacity
	if l.bug == "one too many" {
		capacity++
	}
	if len(held) < capacity {
		l.set(tx, append(held, v))
		if l.props.Once && l.bug != "twice" {
			l.closed.Set(tx, true)
		}
		return lost, nil
	}
	return l.overfull(tx, append(held, v))
}

func (l *list) merge(old, new int) int {
	if l.bug == "merges the other way" {
		return merge(new, old)
	}
	return merge(old, new)
}

// merge is not symmetric.
func merge(old, new int) int { return 2*old + new - 2*proptest.Class(old) }

func (l *list) overfull(tx *stm.Tx, held []int) (lost prop.Lost[int], err error) {
	victim := 0
	switch l.props.Full {
	case prop.Waits, prop.Merges:
		if l.bug == "rejects" {
			return lost, prop.ErrFull
		}
		return lost, stm.ErrRetry
	case prop.Rejects:
		return lost, prop.ErrFull
	case prop.DropsNewest:
		victim = len(held) - 1
	case prop.EvictsLeast:
		victim = least(held, l.bug == "evicts the older of equals")
	case prop.SharesFairly:
		victim = greedy(held)
		if l.bug == "unfair" {
			victim = 0
		}
	case prop.Lags:
		l.missed.Update(tx, func(n int) int { return n + 1 })
	}
	v := held[victim]
	l.set(tx, slices.Delete(held, victim, victim+1))
	if l.props.Broadcast || l.bug == "silent" {
		return lost, nil
	}
	return prop.Lost[int]{Value: v, Any: true}, nil
}

func least(held []int, older bool) int {
	worst := 0
	for i, v := range held {
		if c := proptest.ByClass(v, held[worst]); c < 0 || c == 0 && !older {
			worst = i
		}
	}
	return worst
}

func greedy(held []int) int {
	holds := map[int]int{}
	for _, v := range held {
		holds[proptest.Class(v)]++
	}
	loser := proptest.Class(held[len(held)-1])
	for c := range 9 {
		if holds[c] > holds[loser] {
			loser = c
		}
	}
	for i := len(held) - 1; ; i-- {
		if proptest.Class(held[i]) == loser {
			return i
		}
	}
}

func (l *list) take(tx *stm.Tx) (v, missed int, err error) {
	held := slices.Clone(l.get(tx))
	if len(held) == 0 {
		if l.closed.Get(tx) && l.bug != "waits after close" {
			return 0, 0, prop.ErrClosed
		}
		return 0, 0, stm.ErrRetry
	}
	i := 0
	switch l.props.Order {
	case prop.LIFO:
		i = len(held) - 1
	case prop.ByValue:
		for j, v := range held {
			if c := proptest.ByClass(v, held[i]); c < 0 || c == 0 && l.bug == "unstable" {
				i = j
			}
		}
	}
	if l.bug == "wrong end" {
		i = len(held) - 1 - i
	}
	v = held[i]
	if l.bug != "twice taken" {
		l.set(tx, slices.Delete(held, i, i+1))
	}
	missed = l.missed.Get(tx)
	l.missed.Set(tx, 0)
	if l.bug == "misses silently" {
		missed = 0
	}
	return v, missed, nil
}

func (l *list) kit() proptest.Kit {
	return proptest.Kit{Name: l.bug, Merge: merge, New: func(_ context.Context, n int) (prop.Sink[int], []proptest.Source) {
		if !l.props.Broadcast {
			fresh := newList(l.props, l.bug)
			return fresh, slices.Repeat([]proptest.Source{fresh.take}, n)
		}
		all, sources := fan{}, []proptest.Source{}
		for range n {
			fresh := newList(l.props, l.bug)
			all, sources = append(all, fresh), append(sources, fresh.take)
		}
		return all, sources
	}}
}

// fan is a broadcast made of lists.
type fan []*list

func (f fan) Props() prop.Props { return f[0].props }

func (f fan) Close(tx *stm.Tx) {
	for _, l := range f {
		l.Close(tx)
	}
}

func (f fan) Put(tx *stm.Tx, v int) (lost prop.Lost[int], err error) {
	for _, l := range f {
		if lost, err = l.Put(tx, v); err != nil {
			return lost, err
		}
	}
	return lost, nil
}

// TestPlanted has for each property a primitive that lacks it, and one beside it that does not.
func TestPlanted(t *testing.T) {
	fifo := prop.Props{Order: prop.FIFO, Capacity: 2, Full: prop.Waits}
	with := func(f func(p *prop.Props)) prop.Props {
		p := fifo
		f(&p)
		return p
	}
	byValue := with(func(p *prop.Props) { p.Order, p.Capacity = prop.ByValue, 4 })
	lags := with(func(p *prop.Props) { p.Full, p.Broadcast = prop.Lags, true })
	latest := prop.Props{Order: prop.Latest, Capacity: 1, Full: prop.Supersedes, Broadcast: true}
	plants := map[string]prop.Props{
		"forgets at close":           fifo,
		"not transactional":          fifo,
		"open after close":           fifo,
		"one too many":               fifo,
		"rejects":                    fifo,
		"wrong end":                  fifo,
		"waits after close":          fifo,
		"twice taken":                fifo,
		"unstable":                   byValue,
		"silent":                     with(func(p *prop.Props) { p.Full = prop.DropsOldest }),
		"evicts the older of equals": with(func(p *prop.Props) { p.Full = prop.EvictsLeast }),
		"unfair":                     with(func(p *prop.Props) { p.Full = prop.SharesFairly }),
		"merges the other way":       with(func(p *prop.Props) { p.Full = prop.Merges }),
		"misses silently":            lags,
		"twice":                      with(func(p *prop.Props) { p.Once, p.Broadcast = true, true }),
	}
	for bug, p := range plants {
		t.Run(bug, func(t *testing.T) {
			require.NoError(t, newList(p, "").kit().Check(simulate, long.N(20, 500)), "without the bug")
			require.Error(t, newList(p, bug).kit().Check(simulate, long.N(20, 500)))
		})
	}
	t.Run("forgets the last", func(t *testing.T) {
		require.NoError(t, newList(latest, "").kit().Check(simulate, 20))
		require.Error(t, newList(latest, "forgets at close").kit().Check(simulate, 20))
	})
}

// TestEachCheckFinds plants bugs that each of the checks has to find by itself.
func TestEachCheckFinds(t *testing.T) {
	fifo := prop.Props{Order: prop.FIFO, Capacity: 2, Full: prop.Waits}
	for _, bug := range []string{"wrong end", "one too many", "forgets at close"} {
		k := newList(fifo, bug).kit()
		tasks, calls := 0, 0
		for seed := range uint64(200) {
			if _, err := simulate(seed, k.Tasks); err != nil {
				tasks++
			}
			if k.Calls(context.Background()) != nil {
				calls++
			}
		}
		t.Logf("%s: found by %d of 200 simulations, %d of 200 histories", bug, tasks, calls)
		require.NotZero(t, tasks, bug)
		require.NotZero(t, calls, bug)
	}
}

// TestTurnsFinds has a lock that whoever comes first after an Unlock gets.
func TestTurnsFinds(t *testing.T) {
	found := 0
	for seed := range uint64(50) {
		free := stm.NewVar(true)
		enter := func(ctx context.Context) error {
			return stm.Do(ctx, func(tx *stm.Tx) error {
				tx.Check(free.Get(tx))
				free.Set(tx, false)
				return nil
			})
		}
		leave := func(ctx context.Context) error {
			return stm.Do(ctx, func(tx *stm.Tx) error { free.Set(tx, true); return nil })
		}
		fair := prop.NewLine("fair")
		enterFair := func(ctx context.Context) error {
			_, err := prop.InLine(ctx, fair, func(tx *stm.Tx) (bool, error) {
				tx.Check(free.Get(tx))
				free.Set(tx, false)
				return true, nil
			})
			return err
		}
		if _, err := simulate(seed, func(ctx context.Context) error { return proptest.Turns(ctx, enter, leave) }); err != nil {
			found++
		}
		free = stm.NewVar(true)
		_, err := simulate(seed, func(ctx context.Context) error { return proptest.Turns(ctx, enterFair, leave) })
		require.NoError(t, err, "seed %d", seed)
	}
	t.Logf("plain retry is found unfair by %d of 50 simulations", found)
	require.Greater(t, found, 25)
}
