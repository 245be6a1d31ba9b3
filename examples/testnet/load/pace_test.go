package load

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var start = time.UnixMilli(1_700_000_000_000)

func TestPace(t *testing.T) {
	p := &pace{start: start, rate: 50}
	due := func(after time.Duration, room int) [2]int {
		out, skipped := p.due(start.Add(after), room)
		return [2]int{out, skipped}
	}
	require.Equal(t, [2]int{0, 0}, due(19*time.Millisecond, 5))
	require.Equal(t, [2]int{1, 0}, due(20*time.Millisecond, 5))
	require.Equal(t, [2]int{0, 0}, due(39*time.Millisecond, 5))
	require.Equal(t, [2]int{5, 44}, due(time.Second, 5), "late: the burst, and the rest is skipped")
	require.Equal(t, [2]int{0, 1}, due(1020*time.Millisecond, 0), "nobody takes what is due")
	require.Equal(t, start.Add(1040*time.Millisecond+1), p.next(start.Add(1020*time.Millisecond)))
	require.Equal(t, start.Add(2*time.Second+tickMin), p.next(start.Add(2*time.Second)), "no sooner than a tick")
}

// TestPaceKeeps: whoever looks whenever next says, over any rate, hands out exactly what the time that passed allows.
func TestPaceKeeps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &pace{start: start, rate: rapid.IntRange(1, RateMax).Draw(t, "rate")}
		now, sum := start, 0
		for range 50 {
			now = p.next(now).Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "late ms")) * time.Millisecond)
			out, skipped := p.due(now, p.burst())
			sum += out + skipped
		}
		require.Equal(t, int(int64(p.rate)*int64(now.Sub(start))/int64(time.Second)), sum)
	})
}

func TestLatencies(t *testing.T) {
	var l latencies
	require.Equal(t, 0, l.quantile(0.5))
	for i := range 100 {
		l.add(int64(i))
	}
	require.Equal(t, 49, l.quantile(0.50))
	require.Equal(t, 98, l.quantile(0.99))
	require.Equal(t, 99, l.quantile(1))
	l = latencies{}
	l.add(-3) // a block that was made before the answer came
	l.add(1 << 40)
	require.Equal(t, 0, l.quantile(0.5))
	require.Equal(t, slotsMax, l.quantile(0.99))
}
