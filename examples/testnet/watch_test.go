package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestProgress: only growth of the shortest chain towards the goal puts off the end, so a network that never agrees ends too.
func TestProgress(t *testing.T) {
	p := &progress{goal: 4, limit: time.Minute, until: start.Add(time.Minute)}
	require.False(t, p.see(start, twoNodes(2)))
	require.False(t, p.see(start.Add(50*time.Second), twoNodes(3)), "grew")
	require.False(t, p.see(start.Add(100*time.Second), twoNodes(5)), "reached the goal")
	require.False(t, p.see(start.Add(150*time.Second), twoNodes(9)))
	require.True(t, p.see(start.Add(160*time.Second), twoNodes(99)), "grows, but beyond the goal")
}
