package proptest_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
)

// rival is one way to do something: run does it n times.
type rival struct {
	name string
	run  func(n int)
}

// match is the same thing done by a primitive of ours and by others.
type match struct {
	what   string
	rivals []rival // ours first
}

// rates measures all rivals of a match in turns, round by round, so that a disturbance hits all of them, and gives the least
// time of one operation of each.
func (m match) rates(rounds int, each time.Duration) []float64 {
	sizes, least := make([]int, len(m.rivals)), make([]float64, len(m.rivals))
	timed := func(r rival, n int) time.Duration {
		begin := time.Now()
		r.run(n)
		return time.Since(begin)
	}
	for i, r := range m.rivals {
		least[i] = math.Inf(1)
		for sizes[i] = 1; timed(r, sizes[i]) < each && sizes[i] < 1<<24; {
			sizes[i] *= 2
		}
	}
	for range rounds {
		for i, r := range m.rivals {
			least[i] = min(least[i], float64(timed(r, sizes[i]).Nanoseconds())/float64(sizes[i]))
		}
	}
	return least
}

// row is the match as a line of the README's table.
func (m match) row(ns []float64) string {
	var peers, ratios []string
	for i, r := range m.rivals[1:] {
		peers = append(peers, fmt.Sprintf("%s %s", r.name, digits(ns[i+1])))
		ratios = append(ratios, ratio(ns[0]/ns[i+1]))
	}
	return fmt.Sprintf("| %s | %s | %s | %s |\n", m.what, digits(ns[0]), strings.Join(peers, ", "), strings.Join(ratios, ", "))
}

func digits(ns float64) string {
	if ns < 10 {
		return fmt.Sprintf("%.1f", ns)
	}
	return fmt.Sprintf("%.0f", ns)
}

// ratio is ours by theirs, in bold where ours is not slower.
func ratio(r float64) string {
	s := digits(r)
	if r < 1 {
		s = fmt.Sprintf("%.2f", r)
	}
	if r <= 1 {
		return "**" + s + "**"
	}
	return s
}

// TestRates measures each primitive beside Go's channels, package sync and golang.org/x/sync, and prints the table; without
// -long it only sees that everything runs. To measure, and to write the README's table anew:
//
//	go test ./sync/prop/proptest -run TestRates -v -long [-rewrite]
func TestRates(t *testing.T) {
	const file, begin, end = "../../README.md", "<!-- from TestRates -->\n", "<!-- end of rates -->\n"
	rounds, each := long.N(1, 15), time.Duration(long.N(1, 10_000))*time.Microsecond
	table := "| what | ours, ns | the peers, ns | ours by theirs |\n|---|---|---|---|\n"
	for _, m := range matches() {
		table += m.row(m.rates(rounds, each))
	}
	t.Logf("the least of %d rounds of %v each, all in turns:\n%s", rounds, each, table)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	if *rewrite {
		require.NoError(t, os.WriteFile(file, []byte(before+begin+table+end+after), 0o644))
	}
}
