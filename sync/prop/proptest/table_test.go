package proptest_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/sync/cell"
	"github.com/synodkit/synod/sync/event"
	"github.com/synodkit/synod/sync/gate"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/queue"
	"github.com/synodkit/synod/sync/topic"
)

var rewrite = flag.Bool("rewrite", false, "write the table of sync/README.md anew")

// primitives are one of each kind, with a capacity of 8 where one is chosen.
func primitives() []struct {
	name string
	of   interface{ Props() prop.Props }
} {
	const n = 8
	value, producer := cmp.Compare[int], func(v int) int { return v }
	return []struct {
		name string
		of   interface{ Props() prop.Props }
	}{
		{"queue.FIFO, Wait", queue.FIFO(n, queue.Wait[int]())},
		{"queue.FIFO, Reject", queue.FIFO(n, queue.Reject[int]())},
		{"queue.FIFO, DropNewest", queue.FIFO(n, queue.DropNewest[int]())},
		{"queue.FIFO, DropOldest", queue.FIFO(n, queue.DropOldest[int]())},
		{"queue.FIFO, EvictLeast", queue.FIFO(n, queue.EvictLeast(value))},
		{"queue.FIFO, FairShare", queue.FIFO(n, queue.FairShare(producer))},
		{"queue.LIFO, Wait", queue.LIFO(n, queue.Wait[int]())},
		{"queue.Priority, Wait", queue.Priority(n, value, queue.Wait[int]())},
		{"queue.Unbounded", queue.Unbounded[int](new(queue.Gauge))},
		{"cell.MVar", cell.NewMVar[int]()},
		{"cell.Promise", cell.NewPromise[int]()},
		{"cell.Watch", cell.NewWatch(0)},
		{"cell.Mailbox", cell.NewMailbox(n, producer, func(_, new int) int { return new })},
		{"topic.Subscription", topic.New[int](n)},
		{"event.Chan", event.NewChan[int]()},
		{"gate.Semaphore", gate.NewSemaphore(n)},
		{"gate.RWLock, to write", gate.NewRWLock()},
		{"gate.RAWLock, to write", gate.NewRAWLock()},
		{"gate.Limiter", gate.NewLimiter(time.Second, n)},
	}
}

func row(name string, p prop.Props) string {
	bound := map[int]string{prop.Unbounded: "none", 0: "0", 1: "1"}[p.Capacity]
	if bound == "" {
		bound = "n"
	}
	to, waiting := "one taker", "whoever is quickest"
	if p.Broadcast {
		to = "every source"
	}
	if strings.HasPrefix(name, "gate.") {
		to = "-"
	}
	if p.Fair {
		waiting = "in order"
	}
	full := string(p.Full)
	switch {
	case p.Once:
		full = "is closed by the first"
	case p.Capacity == prop.Unbounded:
		full = "-"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |\n", name, p.Order, bound, full, p.Full.Loss(), to, waiting)
}

// TestTable compares the table of the README with the Props that the other tests check. To write it anew:
// go test ./sync/prop/proptest -run TestTable -rewrite
func TestTable(t *testing.T) {
	const file, begin, end = "../../README.md", "<!-- from Props -->\n", "<!-- end -->\n"
	var b strings.Builder
	b.WriteString("| primitive | order | bound | when full | loss | each value goes to | those who wait are served |\n")
	b.WriteString("|---|---|---|---|---|---|---|\n")
	for _, p := range primitives() {
		b.WriteString(row(p.name, p.of.Props()))
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok)
	table, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	if *rewrite {
		require.NoError(t, os.WriteFile(file, []byte(before+begin+b.String()+end+after), 0o644))
		return
	}
	require.Equal(t, b.String(), table, "go test ./sync/prop/proptest -run TestTable -rewrite")
}
