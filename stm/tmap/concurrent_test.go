package tmap_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/stm/tmap"
)

// Writers of keys in buckets of their own never run twice, adding and deleting included; on one key they do.
func TestDisjointNeverConflict(t *testing.T) {
	const writers = 4
	each := long.N(3000, 300_000)
	run := func(key func(g, i int) uint64) (extra int) {
		m := tmap.NewBy[uint64, int](func(k uint64) uint64 { return k })
		var runs [writers]int
		var wg sync.WaitGroup
		for g := range writers {
			wg.Go(func() {
				for i := range each {
					do(func(tx *stm.Tx) {
						runs[g]++
						k := key(g, i)
						if v, ok := m.Get(tx, k); ok && i%3 == 0 {
							m.Delete(tx, k)
						} else {
							m.Set(tx, k, v+1)
						}
					})
				}
			})
		}
		wg.Wait()
		require.NoError(t, ask(m.Check))
		for _, n := range runs {
			extra += n - each
		}
		return extra
	}
	// the first bits choose a root, the last a part of Len; those between make tables come and go
	require.Zero(t, run(func(g, i int) uint64 { return uint64(g)<<58 | uint64(i*i%97)<<40 | uint64(g) }))
	t.Log("runs lost on one key:", run(func(int, int) uint64 { return 5 }))
}

// Tasks add and delete keys of their own in common buckets, so that tables come and go under all of them. Nothing is lost.
func TestChurn(t *testing.T) {
	hashes := map[string]func(k [2]int) uint64{
		"one root":   func(k [2]int) uint64 { return uint64(k[1]%40) << 52 },
		"last bits":  func(k [2]int) uint64 { return uint64(k[1] % 40) },
		"collisions": func(k [2]int) uint64 { return uint64(k[1]%3) << 60 },
	}
	for name, hash := range hashes {
		t.Run(name, func(t *testing.T) {
			m := tmap.NewBy[[2]int, int](hash)
			const writers = 4
			want := make([]map[[2]int]int, writers)
			var wg sync.WaitGroup
			for g := range writers {
				want[g] = map[[2]int]int{}
				wg.Go(func() { churn(m, g, want[g]) })
			}
			wg.Go(func() {
				for range long.N(300, 30_000) {
					type look struct{ all, n int }
					l := ask(func(tx *stm.Tx) (l look) {
						for range m.All(tx) {
							l.all++
						}
						return look{l.all, m.Len(tx)}
					})
					if l.all != l.n {
						t.Errorf("%d keys, Len %d", l.all, l.n)
						return
					}
				}
			})
			wg.Wait()
			require.NoError(t, ask(m.Check))
			all := map[[2]int]int{}
			for _, w := range want {
				maps.Copy(all, w)
			}
			require.Equal(t, all, content(m))
		})
	}
}

// churn fills and empties the keys of task g in waves.
func churn(m *tmap.Map[[2]int, int], g int, want map[[2]int]int) {
	for i := range long.N(1500, 150_000) {
		k := [2]int{g, i * 7 % 40}
		fill := i/40%2 == 0
		do(func(tx *stm.Tx) {
			if fill {
				m.Set(tx, k, i)
			} else {
				m.Delete(tx, k)
			}
		})
		if fill {
			want[k] = i
		} else {
			delete(want, k)
		}
	}
}

// A wait for a key ends when it comes, even if its bucket has become a table meanwhile; and a wait for it to go likewise.
func TestWait(t *testing.T) {
	m := tmap.NewBy[int, string](func(i int) uint64 { return uint64(i) })
	came, gone := make(chan string), make(chan struct{})
	go func() {
		came <- ask(func(tx *stm.Tx) string {
			v, ok := m.Get(tx, 77)
			tx.Check(ok)
			return v
		})
		do(func(tx *stm.Tx) {
			_, ok := m.Get(tx, 77)
			tx.Check(!ok)
		})
		close(gone)
	}()
	for i := range 200 {
		do(func(tx *stm.Tx) { m.Set(tx, i, fmt.Sprint(i)) })
	}
	require.Equal(t, "77", <-came)
	for i := range 200 {
		do(func(tx *stm.Tx) { m.Delete(tx, i) })
	}
	<-gone
	require.Zero(t, ask(m.Tables))
}

var errTorn = errors.New("torn look")

// market moves coins between keys that come and go, while an audit adds all up by the given look.
func market(look func(ctx context.Context, m *tmap.Map[int, int]) (int, error)) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		m := tmap.NewBy[int, int](func(i int) uint64 { return uint64(i%2)<<63 | uint64(i) }).Label("accounts")
		err := stm.Do(ctx, func(tx *stm.Tx) error {
			for i := range 12 {
				m.Set(tx, i, 1)
			}
			return nil
		})
		if err != nil {
			return err
		}
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			for g := range 3 {
				s.Go(fmt.Sprint("trader ", g), func(ctx context.Context) error {
					for i := range 6 {
						if err := stm.Do(ctx, func(tx *stm.Tx) error { return move(tx, m, g*5+i, g*3+i*i+1) }); err != nil {
							return err
						}
					}
					return nil
				})
			}
			s.Go("audit", func(ctx context.Context) error {
				for range 6 {
					if sum, err := look(ctx, m); sum != 12 || err != nil {
						return errors.Join(err, fmt.Errorf("%w: %d", errTorn, sum))
					}
				}
				return nil
			})
			return nil
		})
	}
}

// move moves all that from has to another key.
func move(tx *stm.Tx, m *tmap.Map[int, int], from, to int) error {
	from, to = from%12, to%24
	if v, ok := m.Get(tx, from); ok && from != to {
		m.Delete(tx, from)
		m.Update(tx, to, func(w int, _ bool) int { return v + w })
	}
	return nil
}

func total(m *tmap.Map[int, int]) func(tx *stm.Tx) int {
	return func(tx *stm.Tx) (sum int) {
		for _, v := range m.All(tx) {
			sum += v
		}
		return sum
	}
}

func TestSimulated(t *testing.T) {
	whole := market(func(ctx context.Context, m *tmap.Map[int, int]) (int, error) { return stm.Query(ctx, total(m)) })
	torn := market(func(ctx context.Context, m *tmap.Map[int, int]) (int, error) {
		sum := 0
		for k := range 24 {
			v, err := stm.Query(ctx, func(tx *stm.Tx) int {
				v, _ := m.Get(tx, k)
				return v
			})
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	})
	hashes, caught := map[uint64]bool{}, 0
	seeds := long.N(100, 10_000)
	for seed := range uint64(seeds) {
		r := sim.Run(seed, whole)
		require.NoError(t, r.Err, "seed %d", seed)
		require.Equal(t, r.Hash, sim.Run(seed, whole).Hash, "seed %d", seed)
		hashes[r.Hash] = true
		if errors.Is(sim.Run(seed, torn).Err, errTorn) {
			caught++
		}
	}
	require.Greater(t, len(hashes), seeds*9/10)
	require.Greater(t, caught, seeds/2, "the planted fault was not noticed")
}
