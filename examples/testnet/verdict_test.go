package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/examples/testnet/load"
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
	s, err := judge([]report{{hashes: hashesOf(2, 9, 0), rollbacks: 1}, {hashes: hashesOf(3, 9, 0), rollbacks: 2}}, ending{
		until: 2, elapsed: 1500 * time.Millisecond, first: 500 * time.Millisecond, restarts: 1, rss: 4096,
		planned: 2, faults: []fault{{name: killFault}, {name: partitionFault}},
		traded: &traded{asked: 10, pending: 2, report: load.Report{
			Totals: load.Totals{Accepted: 9, OnChain: 8, Refused: 3, Skipped: 4}, PerSecond: 7.77, SlotsP50: 1, SlotsP99: 6}},
	})
	require.NoError(t, err)
	b, err := json.Marshal(s)
	require.NoError(t, err)
	require.Equal(t, `{"nodes":2,"height":2,"converged":true,"rollbacks":3,"violations":0,"leaks":0,"seconds":1.5,`+
		`"first_block_seconds":0.5,"restarts":1,"partitions":1,"txs_accepted":9,"txs_on_chain":7,"txs_pending":2,`+
		`"txs_refused":3,"txs_skipped":4,"tx_per_second":7.7,"inclusion_slots_p50":1,"inclusion_slots_p99":6,"rss_bytes":4096}`, string(b))
}

// TestJudgeFaults: a fault that did not bite fails the run, naming what was not seen, and so does one that never ended.
func TestJudgeFaults(t *testing.T) {
	reports := []report{{name: "a", hashes: hashesOf(6, 99, 0)}}
	for _, tc := range []struct {
		name string
		end  ending
		want string // empty: success
	}{
		{"bit", ending{until: 5, planned: 1, faults: []fault{{name: partitionFault}}}, ""},
		{"kill without evidence", ending{until: 5, planned: 1, faults: []fault{{name: killFault, missing: []string{"an exit by SIGKILL"}}}},
			"--kill-restart did not bite, missing: an exit by SIGKILL"},
		{"partition without evidence", ending{until: 5, planned: 1, faults: []fault{{name: partitionFault, missing: []string{"a rollback"}}}},
			"--partition did not bite, missing: a rollback"},
		{"not over", ending{until: 5, planned: 2, faults: []fault{{name: killFault}}}, "1 of 2 faults did not come to their end"},
		{"not over, but interrupted", ending{planned: 2, stopped: "interrupted"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := judge(reports, tc.end)
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
			require.Zero(t, s.Partitions)
		})
	}
}

// TestJudgeLoad: a promise that was not kept fails the run, and so does a load that shows nothing.
func TestJudgeLoad(t *testing.T) {
	reports := []report{{name: "a", hashes: hashesOf(6, 99, 0)}}
	of := func(accepted, pending int, lost ...string) *traded {
		return &traded{asked: 50, pending: pending, lost: lost, report: load.Report{Totals: load.Totals{Accepted: accepted}, FirstRefusal: "no funds"}}
	}
	for _, tc := range []struct {
		name  string
		until uint64
		t     *traded
		want  string // empty: success
	}{
		{"all on the chain", 5, of(9, 0), ""},
		{"some pending", 5, of(9, 8), ""},
		{"one lost", 5, of(9, 1, "ab, accepted by node2 in slot 7"),
			"1 accepted transfers are neither on the common chain nor in a mempool: ab, accepted by node2 in slot 7"},
		{"one lost without a goal", 0, of(9, 1, "ab"), "1 accepted transfers are neither on the common chain nor in a mempool: ab"},
		{"many lost", 5, of(9, 0, "a", "b", "c", "d", "e", "f"), "6 accepted transfers are neither on the common chain nor in a mempool: a; b; c; d; e"},
		{"none accepted", 5, of(0, 0), "no transfer was accepted under --load 50 (no funds)"},
		{"none on the chain", 5, of(3, 3), "no transfer came onto the chain under --load 50, though 3 were accepted"},
		{"none, and no goal", 0, of(0, 0), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := judge(reports, ending{until: tc.until, traded: tc.t})
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, tc.want)
		})
	}
}

// TestCommonHeight: the common chain ends where the first one ends or differs.
func TestCommonHeight(t *testing.T) {
	whole := hashesOf(6, 99, 0)
	require.EqualValues(t, 6, commonHeight([]report{{hashes: whole}}))
	require.EqualValues(t, 4, commonHeight([]report{{hashes: whole}, {hashes: whole[:4]}}))
	require.EqualValues(t, 3, commonHeight([]report{{hashes: whole}, {hashes: hashesOf(6, 4, 7)}}))
	require.EqualValues(t, 0, commonHeight([]report{{hashes: whole}, {}}))
}
