package chain_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/registry"
)

// model is a fragment as a plain slice that is copied whole at every change.
type model struct {
	anchor  chain.Tip
	headers []*chain.Header
}

func (m model) tip() chain.Tip {
	if n := len(m.headers); n > 0 {
		return m.headers[n-1].Tip()
	}
	return m.anchor
}

func (m model) index(p chain.Point) (int, bool) {
	if p == m.anchor.Point {
		return -1, true
	}
	i := slices.IndexFunc(m.headers, func(h *chain.Header) bool { return h.Point() == p })
	return max(i, 0), i >= 0
}

// fragment is what the test drives: chain.Fragment, or a broken one.
type fragment interface {
	append(h *chain.Header) fragment
	rollback(p chain.Point) fragment
	trim(n int) fragment
	tip() chain.Tip
	headers() []*chain.Header
}

type real struct{ chain.Fragment }

func (r real) append(h *chain.Header) fragment {
	f, err := r.Append(h)
	if err != nil {
		panic(err)
	}
	return real{f}
}

func (r real) rollback(p chain.Point) fragment {
	f, ok := r.RollbackTo(p)
	if !ok {
		panic("not on the fragment")
	}
	return real{f}
}
func (r real) trim(n int) fragment      { return real{r.Trim(n)} }
func (r real) tip() chain.Tip           { return r.Tip() }
func (r real) headers() []*chain.Header { return slices.Collect(r.From(r.Anchor().Point)) }

// sharing is the planted bug: an append that writes into memory that another value may see.
type sharing struct{ model }

func (s sharing) append(h *chain.Header) fragment {
	s.model.headers = append(s.model.headers, h) // the classic
	return s
}

func (s sharing) rollback(p chain.Point) fragment {
	if i, ok := s.index(p); ok { // not, when the header at p was overwritten
		s.model.headers = s.model.headers[:i+1]
	}
	return s
}

func (s sharing) trim(n int) fragment {
	if drop := len(s.model.headers) - n; drop > 0 {
		s.model.anchor = s.model.headers[drop-1].Tip()
		s.model.headers = s.model.headers[drop:]
	}
	return s
}
func (s sharing) tip() chain.Tip           { return s.model.tip() }
func (s sharing) headers() []*chain.Header { return s.model.headers }

// wander makes random versions, each from a random earlier one, and compares all of them with the model at the end: a version must not change once it is
// made. It returns the first difference.
func wander(rt *rapid.T, first fragment) error {
	versions, models := []fragment{first}, []model{{}}
	steps := rapid.IntRange(1, 40).Draw(rt, "steps")
	for step := range steps {
		i := rapid.IntRange(max(0, len(versions)-4), len(versions)-1).Draw(rt, "from")
		f, m := versions[i], models[i]
		switch rapid.SampledFrom([]string{"append", "append", "rollback", "trim"}).Draw(rt, "op") {
		case "append":
			b := next(m.tip(), m.tip().Point.Slot+1+chain.Slot(rapid.IntRange(0, 3).Draw(rt, "gap")), fmt.Sprint(step), "")
			f, m = f.append(b.Header), model{m.anchor, append(slices.Clone(m.headers), b.Header)}
		case "rollback":
			at := rapid.IntRange(-1, len(m.headers)-1).Draw(rt, "to")
			to := m.anchor.Point
			if at >= 0 {
				to = m.headers[at].Point()
			}
			f, m = f.rollback(to), model{m.anchor, slices.Clone(m.headers[:at+1])}
		case "trim":
			n := rapid.IntRange(0, len(m.headers)).Draw(rt, "keep")
			f = f.trim(n)
			if drop := len(m.headers) - n; drop > 0 {
				m = model{m.headers[drop-1].Tip(), slices.Clone(m.headers[drop:])}
			}
		}
		versions, models = append(versions, f), append(models, m)
	}
	for i, m := range models {
		if got := versions[i].headers(); !slices.Equal(got, m.headers) || versions[i].tip() != m.tip() {
			return fmt.Errorf("version %d: %v instead of %v", i, got, m.headers)
		}
	}
	return nil
}

func TestFragmentAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { require.NoError(rt, wander(rt, real{chain.NewFragment(chain.Tip{})})) })
}

func TestModelCatchesSharedMemory(t *testing.T) {
	caught := false
	rapid.Check(t, func(rt *rapid.T) { caught = wander(rt, sharing{}) != nil || caught })
	require.True(t, caught)
}

// Many tasks may append to one fragment: each gets its own result.
func TestConcurrentAppend(t *testing.T) {
	base := grow(chain.NewFragment(chain.Tip{}), 5, "base")
	require.NoError(t, registry.Run(t.Context(), func(_ context.Context, s *registry.Scope) error {
		for i := range 8 {
			s.Go(fmt.Sprint("appender", i), func(context.Context) error {
				f := grow(base, 20, fmt.Sprint(i))
				for j := range 20 {
					if want := chain.HashOf([]byte(fmt.Sprint(i))); f.At(5+j).Fields().BodyHash != want {
						return fmt.Errorf("appender %d sees another's header at %d", i, j)
					}
				}
				return nil
			})
		}
		return nil
	}))
	require.Equal(t, 5, base.Len())
}

func grow(f chain.Fragment, n int, body string) chain.Fragment {
	for range n {
		var err error
		if f, err = f.Append(next(f.Tip(), f.Tip().Point.Slot+1, body, "").Header); err != nil {
			panic(err)
		}
	}
	return f
}

func TestAppendRefuses(t *testing.T) {
	f := grow(chain.NewFragment(chain.Tip{}), 3, "a")
	tip := f.Tip()
	for name, fields := range map[string]chain.Fields{
		"another predecessor": {Slot: 9, BlockNo: 4, Prev: chain.HashOf(nil)},
		"a gap in numbers":    {Slot: 9, BlockNo: 5, Prev: tip.Point.Hash},
		"the same number":     {Slot: 9, BlockNo: 3, Prev: tip.Point.Hash},
		"number 0":            {Slot: 9, BlockNo: 0, Prev: tip.Point.Hash},
		"the same slot":       {Slot: 3, BlockNo: 4, Prev: tip.Point.Hash},
		"an earlier slot":     {Slot: 2, BlockNo: 4, Prev: tip.Point.Hash},
	} {
		g, err := f.Append(chain.NewHeader(fields, nil))
		require.ErrorIs(t, err, chain.ErrNotNext, name)
		require.Equal(t, tip, g.Tip(), name)
	}
}

// Intersect is the newest common point of two fragments, as found by looking at all.
func TestIntersect(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		draw := func(name string) int { return rapid.IntRange(0, 12).Draw(rt, name) }
		common := grow(chain.NewFragment(chain.Tip{}), draw("common"), "c")
		f := grow(common, draw("f"), "f").Trim(draw("trim f"))
		g := grow(common, draw("g"), "g").Trim(draw("trim g"))
		var want *chain.Point
		for _, p := range points(f) {
			if _, ok := g.Index(p); ok {
				want = &p
			}
		}
		got, ok := f.Intersect(g)
		require.Equal(rt, want != nil, ok)
		if ok {
			require.Equal(rt, *want, got)
		}
	})
}

// points are all points of f, oldest first, the anchor included.
func points(f chain.Fragment) []chain.Point {
	out := []chain.Point{f.Anchor().Point}
	for h := range f.From(f.Anchor().Point) {
		out = append(out, h.Point())
	}
	return out
}

func TestPointsAreOnTheFragmentNewestFirst(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 100, 2160} {
		f := grow(chain.NewFragment(chain.Tip{}), n, "x")
		got := f.Points()
		require.Equal(t, f.Tip().Point, got[0])
		require.Equal(t, f.Anchor().Point, got[len(got)-1])
		require.LessOrEqual(t, len(got), 14)
		last := n
		for _, p := range got[1:] {
			i, ok := f.Index(p)
			require.True(t, ok)
			require.Less(t, i, last)
			last = i
		}
	}
}

func BenchmarkFragment(b *testing.B) {
	f := grow(chain.NewFragment(chain.Tip{}), 2160, "x")
	h := next(f.Tip(), f.Tip().Point.Slot+1, "y", "").Header
	b.Run("Append/headers=2160", func(b *testing.B) {
		b.ReportAllocs()
		g := f
		for range b.N {
			g, _ = g.Append(h)
			g, _ = g.RollbackTo(f.Tip().Point) // every append is a fork: the dear case
		}
	})
	b.Run("AppendTrim/headers=2160", func(b *testing.B) {
		b.ReportAllocs()
		hs := slices.Collect(grow(f, 4096, "z").From(f.Tip().Point))
		g := f
		for i := range b.N {
			if i%len(hs) == 0 {
				g = f
			}
			g, _ = g.Append(hs[i%len(hs)])
			g = g.Trim(2160)
		}
	})
	b.Run("Index/headers=2160", func(b *testing.B) {
		p := f.At(700).Point()
		for range b.N {
			f.Index(p)
		}
	})
}
