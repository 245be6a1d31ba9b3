package rule_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/store"
)

// journal is a table whose state is one log and one Var of every kind, driven by messages that are functions.
type journal struct {
	log   *rule.Log[line]
	n     *rule.Var[pair]
	gone  *rule.Var[int]
	facts *rule.Pool[place, string]
	timer *rule.Timer
}

type line struct {
	N    uint16
	Text string
}

type pair struct {
	A int8
	B []uint64
}

type place struct{ H, R uint64 }

type doing func(tx *rule.Tx, j *journal)

func newJournal(s *rule.Space) *journal {
	return &journal{
		log: rule.NewLog[line](s, "log"), n: rule.Durable(s, "n", pair{A: 7}), gone: rule.Volatile(s, "gone", 1),
		facts: rule.NewPool[place, string](s, "facts", rule.Limits[place]{Authors: 4, SlotsMax: 3, Below: func(a, b place) bool { return a.H < b.H }}),
		timer: s.Timer("timer"),
	}
}

func journaling() rule.Table[*journal] {
	return rule.Table[*journal]{Name: "journal", Version: 2, New: newJournal, Rules: []rule.Rule[*journal]{
		rule.On("do", func(*rule.Tx, *journal, doing) bool { return true }, func(tx *rule.Tx, j *journal, f doing) { f(tx, j) }),
	}}
}

func entries(j *journal) (base uint64, es []line) {
	tx := &rule.Tx{}
	return j.log.Base(tx), j.log.From(tx, j.log.Base(tx)+1, 1000)
}

// A log is a slice with a base, whatever is done to it, in memory and after each restart; slices taken from it stay as
// they were.
func TestLogAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		disk := store.NewMemory()
		m := open(t, journaling(), rule.Wiring{Store: disk})
		var base uint64
		var model []line
		type taken struct{ got, want []line }
		var kept []taken
		next := uint16(0)
		for range rapid.IntRange(1, 12).Draw(t, "turns") {
			var fs []any
			for range rapid.IntRange(1, 4).Draw(t, "changes") {
				last := base + uint64(len(model))
				switch rapid.IntRange(0, 4).Draw(t, "what") {
				case 0, 1:
					var es []line
					for range rapid.IntRange(0, 3).Draw(t, "n") {
						next++
						es = append(es, line{next, fmt.Sprint("line ", next)})
					}
					model = append(model, es...)
					fs = append(fs, doing(func(tx *rule.Tx, j *journal) { j.log.Append(tx, es...) }))
				case 2:
					to := rapid.Uint64Range(0, last+1).Draw(t, "truncate")
					fs = append(fs, doing(func(tx *rule.Tx, j *journal) { j.log.Truncate(tx, to) }))
					if keep := max(to, base) - base; keep < uint64(len(model)) {
						model = slices.Clone(model[:keep])
					}
				case 3:
					to := rapid.Uint64Range(0, last+2).Draw(t, "compact")
					fs = append(fs, doing(func(tx *rule.Tx, j *journal) { j.log.Compact(tx, to) }))
					if to > base {
						model = slices.Clone(model[min(to-base, uint64(len(model))):])
						base = to
					}
				case 4:
					fs = append(fs, doing(func(tx *rule.Tx, j *journal) {
						got := j.log.From(tx, j.log.Base(tx)+1, 2)
						kept = append(kept, taken{got, slices.Clone(got)})
					}))
				}
			}
			settle(t, m, fs...)
			if rapid.Bool().Draw(t, "restart") {
				disk = disk.Reopen()
				m = open(t, journaling(), rule.Wiring{Store: disk})
			}
			b, es := entries(m.State)
			require.Equal(t, base, b)
			require.Equal(t, len(model), len(es))
			for i := range es {
				require.Equal(t, model[i], es[i])
			}
			again := open(t, journaling(), rule.Wiring{Store: disk.Reopen()})
			b2, es2 := entries(again.State)
			require.Equal(t, b, b2)
			require.Equal(t, es, es2)
			tx := &rule.Tx{}
			require.Equal(t, again.State.log.Last(tx), again.State.log.Synced(tx))
		}
		for _, k := range kept {
			require.Equal(t, k.want, k.got, "somebody's slice was changed")
		}
	})
}

// What is written of a log is what is new, not the log.
func TestLogWritesItsDelta(t *testing.T) {
	disk := &slowStore{Memory: store.NewMemory()}
	m := open(t, journaling(), rule.Wiring{Store: disk.Memory})
	for i := range 100 {
		settle(t, m, doing(func(tx *rule.Tx, j *journal) { j.log.Append(tx, line{uint16(i), "text"}) }))
	}
	records := 0
	for range disk.Scan([]byte("rule/journal\x00log"), []byte("rule/journal\x00loh")) {
		records++
	}
	require.Equal(t, 100, records)
}

func TestRestart(t *testing.T) {
	disk := store.NewMemory()
	w := rule.Wiring{Self: 2, Cluster: []byte("us"), Store: disk}
	m := open(t, journaling(), w)
	settle(t, m, doing(func(tx *rule.Tx, j *journal) {
		j.n.Set(tx, pair{-3, []uint64{1, 2}})
		j.gone.Set(tx, 5)
		j.log.Append(tx, line{1, "one"}, line{2, "two"})
		j.timer.Arm(tx, 1)
		j.facts.Say(tx, place{1, 0}, "old")
		j.facts.Say(tx, place{2, 0}, "mine")
	}), rule.Fact[place, string]{Author: 1, Slot: place{2, 0}, Value: "mine"})
	settle(t, m, doing(func(tx *rule.Tx, j *journal) { j.facts.Floor(tx, place{2, 0}) }))

	var out []rule.Message
	w.Store = disk.Reopen()
	w.Out = func(_ context.Context, ms []rule.Message) error { out = append(out, ms...); return nil }
	m = open(t, journaling(), w)
	tx := &rule.Tx{}
	j := m.State
	require.Equal(t, pair{-3, []uint64{1, 2}}, j.n.Get(tx))
	require.Equal(t, 1, j.gone.Get(tx), "volatile")
	require.False(t, j.timer.Armed(tx))
	_, es := entries(j)
	require.Equal(t, []line{{1, "one"}, {2, "two"}}, es)
	own, ok := j.facts.Own(tx, place{2, 0})
	require.True(t, ok)
	require.Equal(t, "mine", own)
	require.Equal(t, uint64(1), j.facts.Weight(tx, place{2, 0}, "mine"), "others' facts are heard again")
	_, ok = j.facts.Own(tx, place{1, 0})
	require.False(t, ok, "below the floor")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, m.Run(ctx), context.Canceled)
	require.Equal(t, []rule.Message{{From: 2, To: rule.All, Body: rule.Fact[place, string]{Author: 2, Slot: place{2, 0}, Value: "mine"}}}, out,
		"what was said is said again: others may have missed it")
}

// A store of another cluster, process, version or table refuses to start, and says what differs.
func TestAlienStoreIsRefused(t *testing.T) {
	disk := store.NewMemory()
	w := rule.Wiring{Self: 2, Cluster: []byte("us"), Store: disk}
	m := open(t, journaling(), w)
	settle(t, m, doing(func(tx *rule.Tx, j *journal) { j.log.Append(tx, line{1, "one"}) }))
	for _, c := range []struct {
		name, says string
		change     func(w *rule.Wiring, t *rule.Table[*journal])
	}{
		{"cluster", "its cluster is 7573, not 7468656d", func(w *rule.Wiring, _ *rule.Table[*journal]) { w.Cluster = []byte("them") }},
		{"process", "it is of p2, not of p3", func(w *rule.Wiring, _ *rule.Table[*journal]) { w.Self = 3 }},
		{"version", "its version is 2, not 3", func(_ *rule.Wiring, t *rule.Table[*journal]) { t.Version = 3 }},
		{"types", "its Vars have other names or types", func(_ *rule.Wiring, t *rule.Table[*journal]) {
			t.New = func(s *rule.Space) *journal {
				rule.Durable(s, "one more", 0)
				return newJournal(s)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, table := w, journaling()
			w.Store = disk.Reopen()
			c.change(&w, &table)
			_, err := rule.Open(t.Context(), table, w)
			require.ErrorIs(t, err, rule.ErrIdentity)
			require.ErrorContains(t, err, c.says)
		})
	}
	open(t, journaling(), w) // and the right one starts
}

// Whatever bytes a store has, opening it gives a state or an error.
func FuzzOpen(f *testing.F) {
	disk := store.NewMemory()
	m := open(f, journaling(), rule.Wiring{Store: disk})
	settle(f, m, doing(func(tx *rule.Tx, j *journal) {
		j.n.Set(tx, pair{-3, []uint64{1, 2}})
		j.log.Append(tx, line{1, "one"}, line{2, "two"})
		j.facts.Say(tx, place{1, 0}, "said")
	}))
	settle(f, m, doing(func(tx *rule.Tx, j *journal) { j.log.Append(tx, line{3, "three"}); j.log.Compact(tx, 1) }))
	records := 0
	for e := range disk.Scan(nil, nil) {
		f.Add(uint8(records), e.Value, uint8(0))
		f.Add(uint8(records), append(bytes.Clone(e.Value), 0), uint8(1))
		f.Add(uint8(records), e.Value[:len(e.Value)/2], uint8(2))
		records++
	}
	f.Fuzz(func(t *testing.T, which uint8, value []byte, key uint8) {
		var keys [][]byte
		disk := disk.Reopen()
		for e := range disk.Scan(nil, nil) {
			keys = append(keys, e.Key)
		}
		k := keys[int(which)%len(keys)]
		b := new(store.Batch)
		if key != 0 {
			b.Delete(k)
			k = append(k[:len(k)-1:len(k)-1], k[len(k)-1]+key)
		}
		b.Put(k, value)
		_, err := disk.Apply(t.Context(), b, store.Durable)
		require.NoError(t, err)
		m, err := rule.Open(t.Context(), journaling(), rule.Wiring{Store: disk})
		if err != nil {
			require.ErrorIs(t, err, rule.ErrIdentity)
			return
		}
		settle(t, m, doing(func(tx *rule.Tx, j *journal) { j.log.Append(tx, line{9, "nine"}) }))
		open(t, journaling(), rule.Wiring{Store: disk.Reopen()})
	})
}

// A protocol that is rebuilt at each epoch leaves nothing behind: no task (TestMain looks), no record.
func TestThousandEpochs(t *testing.T) {
	disk := store.NewMemory()
	for epoch := range 1000 {
		table := journaling()
		table.Name = fmt.Sprint("journal/", epoch)
		m := open(t, table, rule.Wiring{Store: disk})
		require.NoError(t, m.Post(t.Context(), 1, doing(func(tx *rule.Tx, j *journal) {
			j.log.Append(tx, line{uint16(epoch), "epoch"})
			j.timer.Arm(tx, 1<<40)
			tx.End()
		})))
		require.NoError(t, m.Run(t.Context()))
		require.NoError(t, table.Forget(t.Context(), disk))
	}
	for e := range disk.Scan(nil, nil) {
		t.Fatalf("left behind: %x", e.Key)
	}
}
