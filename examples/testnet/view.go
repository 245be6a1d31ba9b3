package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/synodkit/synod/chain"
)

// view is one node at one moment: the body of /status and a row of the table.
type view struct {
	Name       string     `json:"name"`
	PeerID     string     `json:"peer_id"`
	Height     uint64     `json:"height"`
	Tip        chain.Hash `json:"-"`
	TipHex     string     `json:"tip"`
	Slot       uint64     `json:"slot"` // of the tip
	Peers      int        `json:"peers"`
	Rollbacks  uint64     `json:"rollbacks"`
	Violations int        `json:"violations"`
	Forged     uint64     `json:"forged"`
	Root       string     `json:"root"` // of the ledger after the tip
	URL        string     `json:"-"`
}

// moment is the whole network at one moment, read in one transaction.
type moment struct {
	views  []view
	slot   chain.Slot    // by the clock
	since  time.Duration // since up
	agreed bool          // all hold the same block --until-block
}

// same reports whether the nodes look as they did before.
func (m moment) same(before moment) bool { return slices.Equal(m.views, before.views) }

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
}

func (d *display) show(m moment) {
	if d.out.size == nil {
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
	tip, violations := m.views[0], 0
	for i, v := range m.views {
		heights[i], peers[i] = fmt.Sprint(v.Height), fmt.Sprint(v.Peers)
		rollbacks += v.Rollbacks
		violations += v.Violations
		if v.Height > tip.Height {
			tip = v
		}
	}
	return fmt.Sprintf("%6.1fs slot %d block %d %s heights %s peers %s rollbacks %d violations %d",
		m.since.Seconds(), m.slot, tip.Height, short(tip.Tip), strings.Join(heights, " "), strings.Join(peers, " "), rollbacks, violations)
}

// table is a moment as rows, all ASCII.
func table(m moment) []string {
	rows := []string{
		fmt.Sprintf("slot %d  up %.0fs  Ctrl-C ends", m.slot, m.since.Seconds()),
		"node    height  tip         slot peers rollbacks violations  http",
	}
	for _, v := range m.views {
		rows = append(rows, fmt.Sprintf("%-6s %7d  %-8s %7d %5d %9d %10d  %s",
			v.Name, v.Height, short(v.Tip), v.Slot, v.Peers, v.Rollbacks, v.Violations, strings.TrimPrefix(v.URL, "http://")))
	}
	return rows
}
