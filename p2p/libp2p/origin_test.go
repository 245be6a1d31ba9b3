package libp2p

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/synodkit/synod/p2p"
)

// Two peers that dial each other see two connections with ages that differ by a little. Whatever happens, they must close the same one: else none is
// left. The rule that is planted beside ours, keep the older, does not do.
func TestBothSidesCloseTheSameConnection(t *testing.T) {
	agree := func(yields func(a, b origin) bool, fail func(t *rapid.T, why string)) func(t *rapid.T) {
		return func(t *rapid.T) {
			start := time.Unix(1_700_000_000, 0)
			ms := func(label string, limit int) time.Duration {
				return time.Duration(rapid.IntRange(0, limit).Draw(t, label)) * time.Millisecond
			}
			dialers := rapid.SampledFrom([][2]p2p.PeerID{{"A", "B"}, {"B", "A"}, {"A", "A"}, {"B", "B"}}).Draw(t, "dialers")
			at := [2]time.Time{start.Add(ms("first", 300)), start.Add(ms("second", 300))}
			if rapid.Bool().Draw(t, "long after") {
				at[1] = at[1].Add(time.Hour)
			}
			if dialers[0] == dialers[1] { // one side dials twice in a row: the other sees the same order
				at[1] = at[0].Add(time.Second + ms("later", 1_000))
			}
			var closed [2]int
			for side := range closed {
				first := origin{dialers[0], at[0].Add(ms("skew", 200))}
				second := origin{dialers[1], at[1].Add(ms("skew", 200))}
				if yields(first, second) == yields(second, first) && first.opened != second.opened {
					fail(t, "one side closes both or none")
				}
				if yields(second, first) {
					closed[side] = 1
				}
			}
			if closed[0] != closed[1] {
				fail(t, "one side closes the first, the other the second")
			}
		}
	}
	rapid.Check(t, agree(origin.yields, func(t *rapid.T, why string) { t.Fatal(why) }))
	broken := func(a, b origin) bool { return a.opened.After(b.opened) }
	found := 0
	rapid.Check(t, agree(broken, func(*rapid.T, string) { found++ }))
	if found == 0 {
		t.Fatal("the planted rule passes")
	}
}
