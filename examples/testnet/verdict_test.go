package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
)

// hashesOf makes a chain of n blocks; blocks from fork on (1 based) are of another branch.
func hashesOf(n, fork int, branch byte) []chain.Hash {
	out := make([]chain.Hash, n)
	for i := range out {
		out[i][0] = byte(i + 1)
		if i+1 >= fork {
			out[i][1] = branch
		}
	}
	return out
}

// TestJudge plants a cause for each reason a run can fail for.
func TestJudge(t *testing.T) {
	whole := hashesOf(6, 99, 0)
	forked := hashesOf(6, 4, 7)
	for _, tc := range []struct {
		name      string
		reports   []report
		end       ending
		want      string // part of the reason; empty: success
		converged bool
	}{
		{"same chain", []report{{name: "a", hashes: whole}, {name: "b", hashes: whole}}, ending{until: 5}, "", true},
		{"one is ahead", []report{{name: "a", hashes: whole}, {name: "b", hashes: whole[:5]}}, ending{until: 5}, "", true},
		{"fork after the block", []report{{name: "a", hashes: whole}, {name: "b", hashes: forked}}, ending{until: 3}, "", true},
		{"fork at the block", []report{{name: "a", hashes: whole}, {name: "b", hashes: forked}}, ending{until: 4},
			"chains differ at block 4: a has 04000000, b has 04070000", false},
		{"fork before the block", []report{{name: "a", hashes: whole}, {name: "b", hashes: forked}}, ending{until: 6},
			"chains differ at block 4", false},
		{"fork seen beside a short chain", []report{{name: "s"}, {name: "a", hashes: whole}, {name: "b", hashes: forked}},
			ending{until: 6}, "chains differ at block 4", false},
		{"not reached", []report{{name: "a", hashes: whole}, {name: "b", hashes: whole[:2]}}, ending{until: 5, stopped: "no growth for 60 slots"},
			"block 5 was not reached (no growth for 60 slots): b at 2", false},
		{"violation", []report{{name: "a", hashes: whole, violations: []string{"b: timeout"}}, {name: "b", hashes: whole}}, ending{until: 5},
			"violations recorded: a against b: timeout", true},
		{"leak", []report{{name: "a", hashes: whole}}, ending{until: 5, leaks: []string{"scope node0", "2 goroutines"}},
			"left running: scope node0, 2 goroutines", true},
		{"leak without a block asked for", []report{{name: "a", hashes: whole}}, ending{leaks: []string{"scope node0"}}, "left running", true},
		{"no block asked for", []report{{name: "a", hashes: whole}, {name: "b", hashes: forked}}, ending{stopped: "interrupted"}, "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := judge(tc.reports, tc.end)
			require.Equal(t, tc.converged, s.Converged)
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// TestSummary fixes the fields of the JSON object: scripts read them.
func TestSummary(t *testing.T) {
	s, err := judge([]report{{hashes: hashesOf(2, 9, 0), rollbacks: 1}, {hashes: hashesOf(3, 9, 0), rollbacks: 2}},
		ending{until: 2, elapsed: 1500 * time.Millisecond})
	require.NoError(t, err)
	b, err := json.Marshal(s)
	require.NoError(t, err)
	require.Equal(t, `{"nodes":2,"height":2,"converged":true,"rollbacks":3,"violations":0,"leaks":0,"seconds":1.5}`, string(b))
}
