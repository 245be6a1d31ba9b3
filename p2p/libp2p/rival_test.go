package libp2p

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/p2p"
)

type rule func(o, old origin) ruling

// kept is which of two connections a side keeps, 0 or 1, of which it heard in the order of their ages; answers says which would answer.
func (r rule) kept(conns [2]origin, answers [2]bool) int {
	first, second := 0, 1
	if conns[1].opened.Before(conns[0].opened) {
		first, second = 1, 0
	}
	switch r(conns[second], conns[first]) {
	case newGoes:
		return first
	case oldIsAsked:
		if answers[first] {
			return first
		}
	}
	return second
}

// sides draws two connections as either side sees them: the same dialers, ages that differ by less than a round trip.
func sides(t *rapid.T, dialers [2]p2p.PeerID, apart time.Duration) (seen [2][2]origin) {
	start := time.Unix(1_700_000_000, 0)
	for side := range seen {
		for c := range 2 {
			skew := time.Duration(rapid.IntRange(0, 200).Draw(t, "skew")) * time.Millisecond
			seen[side][c] = origin{dialers[c], start.Add(time.Duration(c) * apart).Add(skew)}
		}
	}
	return seen
}

// Two peers that dial each other have two connections for a moment. Whatever each hears of first, they must keep the same one: else none is left.
func bothKeepTheSame(r rule) func(t *rapid.T) string {
	return func(t *rapid.T) string {
		dialers := rapid.SampledFrom([][2]p2p.PeerID{{"A", "B"}, {"B", "A"}}).Draw(t, "dialers")
		apart := rapid.SampledFrom([]time.Duration{0, 100 * time.Millisecond, time.Second, 9 * time.Second, time.Hour}).Draw(t, "apart")
		seen := sides(t, dialers, apart)
		if r.kept(seen[0], [2]bool{true, true}) != r.kept(seen[1], [2]bool{true, true}) {
			return "one side closes the first, the other the second"
		}
		return ""
	}
}

// A peer that was killed and has come back dials, or is dialled, at any time after. The other side must let the dead connection go.
func theDeadOneGoes(r rule) func(t *rapid.T) string {
	return func(t *rapid.T) string {
		dialers := rapid.SampledFrom([][2]p2p.PeerID{{"A", "B"}, {"B", "A"}, {"A", "A"}, {"B", "B"}}).Draw(t, "dialers")
		apart := rapid.SampledFrom([]time.Duration{201 * time.Millisecond, time.Second, 9 * time.Second, time.Hour}).Draw(t, "apart")
		if r.kept(sides(t, dialers, apart)[0], [2]bool{false, true}) != 1 {
			return "the dead connection is kept"
		}
		return ""
	}
}

func TestRivals(t *testing.T) {
	never := func(property func(*rapid.T) string) func(*testing.T) {
		return func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				if why := property(t); why != "" {
					t.Fatal(why)
				}
			})
		}
	}
	t.Run("simultaneous", never(bothKeepTheSame(origin.against)))
	t.Run("restarted", never(theDeadOneGoes(origin.against)))
	fails := func(property func(*rapid.T) string) func(*testing.T) {
		return func(t *testing.T) {
			found := 0
			rapid.Check(t, func(t *rapid.T) {
				if property(t) != "" {
					found++
				}
			})
			require.NotZero(t, found, "the planted rule passes")
		}
	}
	newest := rule(func(origin, origin) ruling { return oldGoes })
	byDialer := rule(func(o, old origin) ruling { // as before, without asking
		if r := o.against(old); r != oldIsAsked {
			return r
		}
		return newGoes
	})
	t.Run("planted: the newest stays", fails(bothKeepTheSame(newest)))
	t.Run("planted: nobody is asked", fails(theDeadOneGoes(byDialer)))
}

// The rule as a table: A is the smaller identity.
func TestRulings(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new p2p.PeerID
		apart    time.Duration
		want     ruling
	}{
		{"A's stays, and has come last", "B", "A", time.Second, oldGoes},
		{"A's stays if it lives", "A", "B", time.Second, oldIsAsked},
		{"too far apart to be simultaneous", "A", "B", SimultaneousWindow + 1, oldGoes},
		{"just not too far apart", "A", "B", SimultaneousWindow, oldIsAsked},
		{"dialled again", "A", "A", time.Second, oldGoes},
		{"dialled again at once", "B", "B", 0, oldGoes},
		{"told of late", "A", "A", -time.Second, newGoes},
		{"told of very late", "A", "B", -time.Hour, newGoes},
	} {
		old := origin{c.old, time.Unix(1_700_000_000, 0)}
		require.Equal(t, c.want, origin{c.new, old.opened.Add(c.apart)}.against(old), c.name)
	}
}
