package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var start = time.UnixMilli(1_700_000_000_123)

// TestProgress: only growth of the shortest chain towards the goal puts off the end, so a network that never agrees ends too.
func TestProgress(t *testing.T) {
	at := func(height, goal uint64, calm bool) moment {
		m := twoNodes(height)
		m.goal, m.calm = goal, calm
		return m
	}
	p := &progress{limit: time.Minute, until: start.Add(time.Minute)}
	require.False(t, p.see(start, at(2, 4, true)))
	require.False(t, p.see(start.Add(50*time.Second), at(3, 4, true)), "grew")
	require.False(t, p.see(start.Add(100*time.Second), at(5, 4, true)), "reached the goal")
	require.False(t, p.see(start.Add(150*time.Second), at(9, 4, true)))
	require.True(t, p.see(start.Add(160*time.Second), at(99, 4, true)), "grows, but beyond the goal")

	p = &progress{limit: time.Minute, until: start.Add(time.Minute)}
	require.False(t, p.see(start.Add(90*time.Second), at(2, 4, false)), "a fault is still to come")
	require.False(t, p.see(start.Add(140*time.Second), at(2, 4, true)), "and has its own limits")
	require.True(t, p.see(start.Add(151*time.Second), at(2, 4, true)))

	p = &progress{limit: time.Minute, until: start.Add(time.Minute)}
	require.False(t, p.see(start.Add(90*time.Second), at(2, 0, true)), "there is no goal yet")
}
