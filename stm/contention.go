package stm

import (
	"cmp"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
)

// contention is set while a Contention records. Only a run that is lost asks for it.
var contention atomic.Pointer[Contention]

// Contention is a record of lost runs: which Var had changed, and which transaction had to run again because of it.
type Contention struct {
	every int64
	lost  atomic.Int64
	mu    sync.Mutex
	rows  map[Conflict]int64
}

// Conflict is one line of a Contention.
type Conflict struct {
	Var         string // its label
	Transaction string // the function that has begun it, and where
	Lost        int64  // runs, of all
}

// RecordContention begins to record one of every so many lost runs of the process (1 records all), until Stop. A record
// begun later takes the place of an earlier one. While there is none a lost run costs one atomic load more, and
// transactions that lose none cost nothing.
func RecordContention(every int) *Contention {
	c := &Contention{every: max(1, int64(every)), rows: map[Conflict]int64{}}
	contention.Store(c)
	return c
}

// Stop ends the recording. What was recorded stays.
func (c *Contention) Stop() { contention.CompareAndSwap(c, nil) }

// Conflicts are the lines of the record so far, most lost runs first. Counts are those of the sample, times every.
func (c *Contention) Conflicts() []Conflict {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]Conflict, 0, len(c.rows))
	for r, n := range c.rows {
		r.Lost = n * c.every
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Conflict) int {
		return cmp.Or(cmp.Compare(b.Lost, a.Lost), strings.Compare(a.Var, b.Var), strings.Compare(a.Transaction, b.Transaction))
	})
	return all
}

// String is the record as a table.
func (c *Contention) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "runs lost\tVar\ttransaction")
	for _, r := range c.Conflicts() {
		fmt.Fprintf(w, "%d\t%s\t%s\n", r.Lost, r.Var, r.Transaction)
	}
	_ = w.Flush()
	return b.String()
}

// contended records that this run is lost because of tx.loser.
func (tx *Tx) contended() {
	if c := contention.Load(); c != nil && tx.loser != nil {
		c.record(tx.loser)
	}
}

func (c *Contention) record(loser *core) {
	if c.lost.Add(1)%c.every != 0 {
		return
	}
	row := Conflict{Var: loser.name(), Transaction: victim()}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rows[row]++
}

// victim is who has begun the transaction that the caller is in: the first function outside the engine below its entry.
func victim() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	entered := false
	for {
		f, more := frames.Next()
		if entered && !isEngine(f) {
			return fmt.Sprintf("%s %s:%d", filepath.Base(f.Function), filepath.Base(f.File), f.Line)
		}
		entered = entered || isEngine(f) && isEntry(f.Function)
		if !more {
			return "(unknown)"
		}
	}
}

// isEntry reports whether an engine's function begins transactions.
func isEntry(function string) bool {
	name := function[strings.LastIndex(function, "/")+1:]
	for _, entry := range []string{"stm.Atomically", "stm.Do", "stm.Query", "stm.Poll", "stm.Watch"} {
		if rest, ok := strings.CutPrefix(name, entry); ok && (rest == "" || rest[0] == '[' || rest[0] == '.') {
			return true
		}
	}
	return false
}
