package stm_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	anacrolix "github.com/anacrolix/stm"

	"github.com/synodkit/synod/stm"
)

// Benchmarks are named Op/key=value/impl=name. Peers do the same work in the same process: they read and add up, or write, the
// same number of words, under the same GOMAXPROCS. TestTable measures the same functions in turns, which is what ratios
// should be taken from.
//
//	bench_test.go        the harness; transactions of one goroutine
//	bench_crowd_test.go  many goroutines that do not wait
//	bench_wait_test.go   waiting
//	bench_loss_test.go   the seam's cost, and where stm loses

// impl is one implementation of a workload. run does b.N operations, or loops with b.Loop.
type impl struct {
	name string
	run  func(b *testing.B)
}

func compare(b *testing.B, key string, impls []impl) {
	for _, i := range impls {
		b.Run(key+"/impl="+i.name, func(b *testing.B) {
			b.ReportAllocs()
			i.run(b)
		})
	}
}

func each(b *testing.B, key string, values []int, impls func(n int) []impl) {
	for _, n := range values {
		compare(b, fmt.Sprint(key, "=", n), impls(n))
	}
}

// timed counts f alone, by the clock and by processor time.
func timed(b *testing.B, f func()) {
	b.ResetTimer()
	used := -cpuNanoseconds()
	f()
	used += cpuNanoseconds()
	b.StopTimer()
	b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/op")
}

func named(impls []impl, name string) impl {
	return impls[slices.IndexFunc(impls, func(i impl) bool { return i.name == name })]
}

// The cost curve over size.
var sizes = []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}

func BenchmarkReadOnly(b *testing.B)  { each(b, "vars", sizes, readOnly) }
func BenchmarkReadWrite(b *testing.B) { each(b, "vars", sizes, readWrite) }

func varsOf(n int) (vs []*stm.Var[int]) {
	for range n {
		vs = append(vs, stm.NewVar(1))
	}
	return vs
}

func theirVarsOf(n int) (vs []*anacrolix.Var[int]) {
	for range n {
		vs = append(vs, anacrolix.NewVar(1))
	}
	return vs
}

func wordsOf(n int) []int {
	words := make([]int, n)
	for i := range words {
		words[i] = 1
	}
	return words
}

func sumOf(tx *stm.Tx, vs []*stm.Var[int]) int {
	sum := 0
	for _, v := range vs {
		sum += v.Get(tx)
	}
	return sum
}

func theirSumOf(tx *anacrolix.Tx, vs []*anacrolix.Var[int]) int {
	sum := 0
	for _, v := range vs {
		sum += v.Get(tx)
	}
	return sum
}

func sumOfWords(words []int) int {
	sum := 0
	for _, n := range words {
		sum += n
	}
	return sum
}

// readOnly adds up n variables at one moment.
func readOnly(n int) []impl {
	ctx := context.Background()
	check := func(b *testing.B, sum int) {
		if sum != n {
			b.Fatal("a wrong sum", sum)
		}
	}
	return []impl{
		{"synod", func(b *testing.B) {
			vs := varsOf(n)
			for b.Loop() {
				sum, _ := stm.Query(ctx, func(tx *stm.Tx) int { return sumOf(tx, vs) })
				check(b, sum)
			}
		}},
		{"rwmutex", func(b *testing.B) {
			var mu sync.RWMutex
			words := wordsOf(n)
			for b.Loop() {
				mu.RLock()
				sum := sumOfWords(words)
				mu.RUnlock()
				check(b, sum)
			}
		}},
		{"mutex", func(b *testing.B) {
			var mu sync.Mutex
			words := wordsOf(n)
			for b.Loop() {
				mu.Lock()
				sum := sumOfWords(words)
				mu.Unlock()
				check(b, sum)
			}
		}},
		{"plain", func(b *testing.B) { // a slice that nobody else has
			words := wordsOf(n)
			for b.Loop() {
				check(b, sumOfWords(words))
			}
		}},
		{"anacrolix", func(b *testing.B) {
			vs := theirVarsOf(n)
			for b.Loop() {
				check(b, anacrolix.Atomically(func(tx *anacrolix.Tx) int { return theirSumOf(tx, vs) }))
			}
		}},
	}
}

// readWrite adds one to each of n variables.
func readWrite(n int) []impl {
	ctx := context.Background()
	return []impl{
		{"synod", func(b *testing.B) {
			vs := varsOf(n)
			for b.Loop() {
				_ = stm.Do(ctx, func(tx *stm.Tx) error {
					for _, v := range vs {
						v.Set(tx, v.Get(tx)+1)
					}
					return nil
				})
			}
		}},
		{"mutex", func(b *testing.B) {
			var mu sync.Mutex
			words := wordsOf(n)
			for b.Loop() {
				mu.Lock()
				for i := range words {
					words[i]++
				}
				mu.Unlock()
			}
			runtime.KeepAlive(words)
		}},
		{"plain", func(b *testing.B) {
			words := wordsOf(n)
			for b.Loop() {
				for i := range words {
					words[i]++
				}
			}
			runtime.KeepAlive(words)
		}},
		{"anacrolix", func(b *testing.B) {
			vs := theirVarsOf(n)
			for b.Loop() {
				anacrolix.Atomically(anacrolix.VoidOperation(func(tx *anacrolix.Tx) {
					for _, v := range vs {
						v.Set(tx, v.Get(tx)+1)
					}
				}))
			}
		}},
	}
}
