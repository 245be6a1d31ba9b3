package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/examples/testnet/load"
)

// view is one node at one moment: a row of the table.
type view = api.Status

// moment is the whole network at one moment, read in one transaction.
type moment struct {
	views  []view
	totals load.Totals
	cut    bool          // by --partition
	faults []fault       // that are over
	slot   chain.Slot    // by the clock
	since  time.Duration // since up
	rss    uint64
	loaded bool

	goal   uint64 // that all must agree on; 0: none yet
	agreed bool   // all hold the same block goal
	calm   bool   // no fault is still to come
}

// same reports whether the network looks as it did before.
func (m moment) same(before moment) bool {
	return slices.Equal(m.views, before.views) && m.totals == before.totals && m.cut == before.cut &&
		len(m.faults) == len(before.faults) && m.goal == before.goal && m.calm == before.calm
}

// done reports whether nothing is waited for any more.
func (m moment) done() bool { return m.goal > 0 && m.agreed && m.calm }

// lowest and highest are the heights of the shortest and the longest chain.
func (m moment) lowest() uint64 {
	low := m.views[0].Height
	for _, v := range m.views {
		low = min(low, v.Height)
	}
	return low
}

func (m moment) highest() uint64 {
	var high uint64
	for _, v := range m.views {
		high = max(high, v.Height)
	}
	return high
}

// terminal is standard output; size is nil where nobody looks at a screen.
type terminal struct {
	io.Writer
	size func() (width, height int, err error)
}

// display shows moments: redrawn in place on a terminal, as lines elsewhere.
type display struct {
	out   terminal
	drawn int // lines of the table on the screen
	last  uint64
	told  int // of the faults
}

func (d *display) show(m moment) {
	fresh := m.faults[d.told:]
	d.told = len(m.faults)
	if d.out.size == nil {
		for _, f := range fresh {
			fmt.Fprintln(d.out, f.words())
		}
		if high := m.highest(); high != d.last {
			d.last = high
			fmt.Fprintln(d.out, line(m))
		}
		return
	}
	width, height, err := d.out.size()
	if err != nil || width < 20 || height < 4 {
		width, height = 80, 24
	}
	var b strings.Builder
	if d.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\x1b[J", d.drawn)
	}
	for _, f := range fresh { // they stay above the table
		b.WriteString(f.words() + "\n")
	}
	rows := table(m)
	if len(rows) > height-1 { // what scrolls away cannot be redrawn
		rows = append(rows[:height-2:height-2], fmt.Sprintf("... %d more", len(m.views)-(height-4)))
	}
	for _, row := range rows {
		if len(row) >= width {
			row = row[:width-1]
		}
		b.WriteString(row + "\n")
	}
	d.drawn = len(rows)
	io.WriteString(d.out, b.String())
}

// line is a moment as one plain line.
func line(m moment) string {
	heights, peers := make([]string, len(m.views)), make([]string, len(m.views))
	var rollbacks uint64
	tip, violations, pending := m.views[0], 0, 0
	for i, v := range m.views {
		heights[i], peers[i] = fmt.Sprint(v.Height), fmt.Sprint(v.Peers)
		rollbacks += v.Rollbacks
		violations += v.Violations
		pending = max(pending, v.Mempool.Count)
		if v.Height > tip.Height {
			tip = v
		}
	}
	text := fmt.Sprintf("%6.1fs slot %d block %d %s heights %s peers %s rollbacks %d violations %d mempool %d rss %dM",
		m.since.Seconds(), m.slot, tip.Height, short(tip.Tip), strings.Join(heights, " "), strings.Join(peers, " "), rollbacks, violations, pending, m.rss>>20)
	return strings.Join(append([]string{text}, m.notes()...), " ")
}

// notes are what is only worth a word while it is there.
func (m moment) notes() (out []string) {
	if m.loaded {
		out = append(out, fmt.Sprintf("transfers %d on chain %d", m.totals.Accepted, m.totals.OnChain))
	}
	if m.cut {
		out = append(out, "cut")
	}
	for _, v := range m.views {
		if v.URL == "" {
			out = append(out, v.Name+" down")
		}
	}
	return out
}

// table is a moment as rows, all ASCII.
func table(m moment) []string {
	head := []string{fmt.Sprintf("slot %d", m.slot), fmt.Sprintf("up %.0fs", m.since.Seconds())}
	rows := []string{
		strings.Join(append(append(head, m.notes()...), "Ctrl-C ends"), "  "),
		"node    height  tip         slot peers rollbacks violations mempool  http",
	}
	for _, v := range m.views {
		rows = append(rows, fmt.Sprintf("%-6s %7d  %-8s %7d %5d %9d %10d %7d  %s",
			v.Name, v.Height, short(v.Tip), v.Slot, v.Peers, v.Rollbacks, v.Violations, v.Mempool.Count, strings.TrimPrefix(v.URL, "http://")))
	}
	return rows
}
