package stm_test

import (
	"flag"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	tableFlag  = flag.String("table", "", "measure and print the rows of the table of costs that match this")
	roundsFlag = flag.Int("rounds", 15, "how often each row of the table is measured")
)

// row is a line of the table: ours against a peer.
type row struct {
	name       string
	ours, peer impl
	must, aim  float64 // how many times the peer's cost ours may be; 0: published only
	faster     bool    // the ratio is how many times less ours costs, and must is the least
	free       bool    // it may not allocate
}

// TestTable prints what stm costs beside its peers:
//
//	go test ./stm -run '^TestTable$' -table . -v
//
// Every row is measured in many short runs, in turns with all others, so that noise hits all alike. It prints the medians,
// and their ratio by the clock and by processor time, which on a machine that others use too says more. It fails only for
// allocations where there must be none: the machine is nobody's in particular. Without -table each row runs, briefly.
func TestTable(t *testing.T) {
	length := flag.Lookup("test.benchtime").Value
	defer func(was string) { _ = length.Set(was) }(length.String())
	runs := func(n int) { require.NoError(t, length.Set(fmt.Sprint(n, "x"))) }

	if *tableFlag == "" {
		for _, r := range rows(shortWaiters) {
			switch {
			case r.free && !racing:
				runs(500)
			case r.must > 0:
				runs(20)
			default:
				runs(1)
			}
			ours, peer := measure(r.ours), measure(r.peer)
			require.Positive(t, ours.wall, r.name)
			require.Positive(t, peer.wall, r.name)
			if r.free && !racing {
				require.Zero(t, ours.allocs, "%s allocates", r.name)
			}
		}
		return
	}

	wanted := regexp.MustCompile(*tableFlag)
	var cells []*cell
	all := slices.DeleteFunc(rows(manyWaiters), func(r row) bool { return !wanted.MatchString(r.name) })
	for i := range all {
		cells = append(cells, &cell{row: all[i].name, impl: all[i].ours}, &cell{row: all[i].name, impl: all[i].peer})
	}
	for _, c := range cells {
		c.n = calibrate(c.impl, runs)
	}
	for range *roundsFlag {
		for _, c := range cells {
			runs(c.n)
			c.samples = append(c.samples, measure(c.impl))
		}
	}
	fmt.Printf("%-46s %-20s %10s %7s %10s %8s %8s %7s %7s\n", "row", "peer", "ours ns", "allocs", "peer ns", "ratio", "by cpu", "must", "aim")
	for i, r := range all {
		r.print(cells[2*i], cells[2*i+1])
		if r.free && !racing {
			require.Zero(t, cells[2*i].median(allocs), "%s allocates", r.name)
		}
	}
	fmt.Printf("%d rounds, GOMAXPROCS %d. What others used of the machine is missing here:%s%s\n", *roundsFlag, runtime.GOMAXPROCS(0),
		share(cells, "one goroutine", "ReadOnly"), share(cells, "two", "Disjoint/goroutines=2"))
}

func (r *row) print(ours, peer *cell) {
	ratio, byCPU := ours.median(wall)/peer.median(wall), ours.median(cpu)/peer.median(cpu)
	if r.faster {
		ratio, byCPU = 1/ratio, 1/byCPU
	}
	verdict := ""
	if r.must > 0 {
		switch {
		case !met(ratio, r.must, r.faster):
			verdict = "MISSED"
		case r.aim > 0 && met(ratio, r.aim, r.faster):
			verdict = "met, and the aim"
		default:
			verdict = "met"
		}
	}
	fmt.Printf("%-46s %-20s %10.1f %7.0f %10.1f %7.2fx %7.2fx %7s %7s %s\n", r.name, peer.impl.name,
		ours.median(wall), ours.median(allocs), peer.median(wall), ratio, byCPU, times(r.must), times(r.aim), verdict)
}

func met(ratio, bar float64, least bool) bool {
	if least {
		return ratio >= bar
	}
	return ratio <= bar
}

func times(x float64) string {
	if x == 0 {
		return ""
	}
	return fmt.Sprintf("%.3gx", x)
}

// sample is what an operation cost in one run.
type sample struct{ wall, cpu, allocs float64 }

func wall(s sample) float64   { return s.wall }
func cpu(s sample) float64    { return s.cpu }
func allocs(s sample) float64 { return s.allocs }

// cell is the runs of one implementation, each of n operations.
type cell struct {
	row     string
	impl    impl
	n       int
	samples []sample
}

func (c *cell) median(of func(sample) float64) float64 {
	var xs []float64
	for _, s := range c.samples {
		xs = append(xs, of(s))
	}
	slices.Sort(xs)
	return xs[len(xs)/2]
}

// measure runs i once, for as many operations as -test.benchtime says.
func measure(i impl) sample {
	var used int64
	r := testing.Benchmark(func(b *testing.B) {
		used = -cpuNanoseconds()
		b.ReportAllocs()
		i.run(b)
		used += cpuNanoseconds()
	})
	s := sample{float64(r.T.Nanoseconds()) / float64(r.N), float64(used) / float64(r.N), float64(r.AllocsPerOp())}
	if ns, ok := r.Extra["ns/waiter"]; ok {
		s.wall = ns
	}
	if ns, ok := r.Extra["cpu-ns/op"]; ok {
		s.cpu = ns
	}
	return s
}

// calibrate finds how many operations make a run of some milliseconds. It is the warm-up, too.
func calibrate(i impl, runs func(n int)) int {
	const long, most = 3 * time.Millisecond, 1_000_000
	n := 100
	for range 4 {
		runs(n)
		if took := time.Duration(measure(i).wall * float64(n)); took < long {
			n = min(most, int(float64(n)*float64(long)/float64(took+1)))
		}
	}
	return n
}

// share tells how many processors the rows of a name had, while they ran.
func share(cells []*cell, who, name string) string {
	used, took := 0.0, 0.0
	for _, c := range cells {
		if strings.HasPrefix(c.row, name) && !strings.HasSuffix(c.impl.name, "1 goroutine") {
			used, took = used+c.median(cpu), took+c.median(wall)
		}
	}
	if took == 0 {
		return ""
	}
	return fmt.Sprintf(" %s had %.2f processors.", who, used/took)
}
