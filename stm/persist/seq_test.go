package persist_test

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/stm/persist"
)

// naiveSeq is what a Seq means.
type naiveSeq struct {
	lo, hi uint64
	vals   map[uint64]int
}

func (m *naiveSeq) clone() naiveSeq { return naiveSeq{m.lo, m.hi, maps.Clone(m.vals)} }

func (m *naiveSeq) set(n uint64, v int) {
	m.vals[n] = v
	m.hi = max(m.hi, n+1)
}

func (m *naiveSeq) drop(n uint64) {
	m.lo, m.hi = max(m.lo, n), max(m.hi, n)
	maps.DeleteFunc(m.vals, func(k uint64, _ int) bool { return k < n })
}

func (m *naiveSeq) cut(n uint64) {
	m.lo, m.hi = min(m.lo, n), min(m.hi, n)
	maps.DeleteFunc(m.vals, func(k uint64, _ int) bool { return k >= n })
}

func (m *naiveSeq) check(t require.TestingT, s persist.Seq[int]) {
	require.NoError(t, s.Check())
	require.Equal(t, []uint64{m.lo, m.hi, uint64(len(m.vals))}, []uint64{s.Lo(), s.Hi(), uint64(s.Len())})
	keys := slices.Sorted(maps.Keys(m.vals))
	var got []uint64
	for n, v := range s.All() {
		if m.vals[n] != v {
			require.Equal(t, m.vals[n], v, "number %d", n)
		}
		got = append(got, n)
	}
	require.True(t, slices.Equal(keys, got), "%v, not %v", got, keys)
	for n, v := range s.Backward() {
		if last := len(got) - 1; last < 0 || got[last] != n || m.vals[n] != v {
			require.Fail(t, "backward is not the reverse of forward")
		}
		got = got[:len(got)-1]
	}
	require.Empty(t, got)
}

// lookAt checks single numbers, and a walk from one of them that stops early.
func (m *naiveSeq) lookAt(t require.TestingT, s persist.Seq[int], n uint64) {
	v, ok := s.Get(n)
	want, there := m.vals[n]
	require.Equal(t, there, ok)
	require.Equal(t, want, v)
	var next []uint64
	for k := range s.From(n) {
		if next = append(next, k); len(next) == 2 {
			break
		}
	}
	keys := slices.Sorted(maps.Keys(m.vals))
	keys = keys[sortedAt(keys, n):]
	require.True(t, slices.Equal(keys[:min(2, len(keys))], next), "from %d: %v", n, next)
}

func sortedAt(keys []uint64, n uint64) int {
	i, _ := slices.BinarySearch(keys, n)
	return i
}

// seqOps is one interface over values and edits.
type seqOps interface {
	Append(v int)
	Set(n uint64, v int)
	Delete(n uint64)
	Drop(n uint64)
	Cut(n uint64)
}

// plain is a Seq as an edit.
type plain struct{ s persist.Seq[int] }

func (p *plain) Append(v int)        { p.s = p.s.Append(v) }
func (p *plain) Set(n uint64, v int) { p.s = p.s.Set(n, v) }
func (p *plain) Delete(n uint64)     { p.s = p.s.Delete(n) }
func (p *plain) Drop(n uint64)       { p.s = p.s.Drop(n) }
func (p *plain) Cut(n uint64)        { p.s = p.s.Cut(n) }

// seqStep does one change to the model and to all of ops. where is a number around the sequence.
func seqStep(m *naiveSeq, what int, where uint64, v int, ops ...seqOps) {
	for i, s := range ops {
		last := i == len(ops)-1
		switch what {
		case 0:
			s.Set(max(where, m.lo), v)
			if last {
				m.set(max(where, m.lo), v)
			}
		case 1:
			s.Delete(where)
			if last {
				delete(m.vals, where)
			}
		case 2:
			s.Drop(where)
			if last {
				m.drop(where)
			}
		case 3:
			s.Cut(where)
			if last {
				m.cut(where)
			}
		default:
			s.Append(v)
			if last {
				m.set(m.hi, v)
			}
		}
	}
}

// seqMachine applies the same changes to a value, to an edit that is never given up, and to one that is shown after each.
type seqMachine struct {
	now       plain
	long, one *persist.SeqEdit[int]
	want      naiveSeq
	shown     []persist.Seq[int]
	then      []naiveSeq
	steps     int
}

func newSeqMachine(lo uint64) *seqMachine {
	s := persist.NewSeq[int](lo)
	return &seqMachine{now: plain{s}, long: s.Edit(), one: s.Edit(), want: naiveSeq{lo, lo, map[uint64]int{}}}
}

func (m *seqMachine) step(what int, where uint64, v int) {
	seqStep(&m.want, what, where, v, &m.now, m.long, m.one)
	m.one.Seq()
}

func (m *seqMachine) show(s persist.Seq[int]) {
	m.shown, m.then = append(m.shown, s), append(m.then, m.want.clone())
}

// branch goes back to an old version: the newest is then not the longest.
func (m *seqMachine) branch(i int) {
	i %= len(m.shown)
	m.now.s, m.want = m.shown[i], m.then[i].clone()
	m.long, m.one = m.now.s.Edit(), m.now.s.Edit()
}

func (m *seqMachine) check(t require.TestingT) {
	if m.steps++; len(m.want.vals) > 200 && m.steps%8 != 0 { // the model is slow
		require.NoError(t, m.now.s.Check())
		return
	}
	m.want.check(t, m.now.s)
	m.want.check(t, m.one.Seq())
}

func (m *seqMachine) end(t require.TestingT) {
	m.show(m.long.Seq())
	for i, s := range m.shown {
		m.then[i].check(t, s)
	}
}

func TestSeqModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newSeqMachine(rapid.SampledFrom([]uint64{0, 1, 31, 32, 5000, 1 << 40}).Draw(t, "lo"))
		m.show(m.now.s)
		around := func(t *rapid.T) uint64 {
			reach := rapid.SampledFrom([]int{3, 40, 1100, 40000}).Draw(t, "reach")
			base := rapid.SampledFrom([]uint64{m.want.lo, m.want.hi}).Draw(t, "base")
			return uint64(max(0, int(base)+rapid.IntRange(-reach, reach).Draw(t, "by")))
		}
		t.Repeat(map[string]func(*rapid.T){
			"some": func(t *rapid.T) {
				for range rapid.IntRange(1, 70).Draw(t, "appends") {
					m.step(4, 0, int(m.want.hi)*3)
				}
			},
			"many": func(t *rapid.T) {
				if len(m.want.vals) < 3000 {
					for range rapid.IntRange(900, 1200).Draw(t, "appends") {
						m.step(4, 0, int(m.want.hi)*5)
					}
				}
			},
			"change": func(t *rapid.T) {
				m.step(rapid.IntRange(0, 3).Draw(t, "what"), around(t), rapid.Int().Draw(t, "value"))
			},
			"delete run": func(t *rapid.T) {
				from := around(t)
				for n := range uint64(rapid.IntRange(1, 100).Draw(t, "run")) {
					m.step(1, from+n, 0)
				}
			},
			"look":   func(t *rapid.T) { m.want.lookAt(t, m.now.s, around(t)) },
			"show":   func(*rapid.T) { m.show(m.now.s) },
			"long":   func(*rapid.T) { m.show(m.long.Seq()) },
			"branch": func(t *rapid.T) { m.branch(rapid.Int().Draw(t, "to") & math.MaxInt) },
			"":       func(t *rapid.T) { m.check(t) },
		})
		m.end(t)
	})
}

// Faults in giving up the right to change, and in taking slots, are noticed by the comparison with copies.
func TestPlantedSeq(t *testing.T) {
	same := func(s persist.Seq[int], want map[uint64]int) bool { return maps.Equal(want, maps.Collect(s.All())) }
	t.Run("edit", func(t *testing.T) {
		e := persist.Seq[int]{}.Edit()
		for i := range 50 {
			e.Append(i)
		}
		honest := e.Seq()
		e.Set(3, 3)
		e.Set(49, 49)
		faulty, want := e.SeqShowing(), maps.Collect(honest.All())
		e.Set(3, -1)
		e.Set(49, -1)
		require.True(t, same(honest, want))
		require.False(t, same(faulty, want), "the planted fault did nothing")
	})
	t.Run("slot", func(t *testing.T) {
		s := persist.Seq[int]{}.Append(0)
		a := s.Append(1)
		want := maps.Collect(a.All())
		_ = s.Append(2)
		require.True(t, same(a, want))
		_ = s.Untaken().Append(2)
		require.False(t, same(a, want), "the planted fault did nothing")
	})
}

// A window that slides keeps its height, however far it has come; and an emptied Seq starts afresh.
func TestSeqHeight(t *testing.T) {
	var s persist.Seq[uint64]
	const window = 2160
	highest := 0
	for n := range uint64(long.N(200_000, 20_000_000)) {
		s = s.Append(n)
		if n >= window {
			s = s.Drop(s.Hi() - window)
		}
		highest = max(highest, s.Height())
		if n%9999 == 0 {
			require.NoError(t, s.Check())
		}
	}
	require.Equal(t, 3, highest)
	require.Equal(t, window, s.Len())
	require.LessOrEqual(t, s.Drop(s.Hi()-1).Height(), 2)
	require.LessOrEqual(t, s.Cut(s.Lo()+40).Height(), 2)
	far := s.Set(1<<62, 1)
	require.NoError(t, far.Check())
	require.Equal(t, window+1, far.Len())
	require.Equal(t, 1, far.Drop(1<<60).Height())
}

func TestSeqLimits(t *testing.T) {
	s := persist.NewSeq[int](10)
	require.PanicsWithValue(t, "persist: Seq.Set below Lo", func() { s.Set(9, 1) })
	require.Panics(t, func() { s.Set(math.MaxUint64, 1) })
	require.Panics(t, func() { persist.NewSeq[int](math.MaxUint64) })
	require.Panics(t, func() {
		s := persist.NewSeq[int](1<<63 - 1)
		for range 40 {
			s = s.Append(1)
		}
	})
	require.Equal(t, s, s.Delete(9).Delete(10).Delete(math.MaxUint64))
	require.Equal(t, s, s.Cut(math.MaxUint64).Drop(0))
	require.Equal(t, uint64(3), s.Append(1).Cut(3).Lo())
	require.Equal(t, uint64(99), s.Append(1).Drop(99).Hi())
}

// FuzzSeq reads changes from bytes: what, and where in reach of the ends.
func FuzzSeq(f *testing.F) {
	f.Add([]byte("append and drop and cut"), uint16(0))
	f.Add(slices.Repeat([]byte{4, 0, 200, 0}, 100), uint16(31))
	f.Add([]byte("xX00b9"), uint16(70)) // a gap that a tree made for a lower number must cover
	f.Fuzz(func(t *testing.T, ops []byte, lo uint16) {
		m := newSeqMachine(uint64(lo))
		for ops = ops[:min(len(ops), long.N(300, 6000))]; len(ops) >= 2; ops = ops[2:] {
			if ops[0] > 200 {
				for range int(ops[1]) * 4 {
					m.step(4, 0, int(m.want.hi))
				}
				continue
			}
			where := m.want.lo
			if ops[0]&8 != 0 {
				where = m.want.hi
			}
			by := int64(int8(ops[1])) * (1 + int64(ops[0]>>4)*int64(ops[0]>>4)*16)
			m.step(int(ops[0]&7), uint64(max(0, int64(where)+by)), len(ops))
			if len(ops)%16 == 0 {
				m.show(m.long.Seq())
			}
		}
		m.check(t)
		m.end(t)
	})
}
