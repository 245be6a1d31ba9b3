package consensus_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/consensus"
)

// TestTables works out quorums and joint configurations from their definitions; the files show the sums.
func TestTables(t *testing.T) {
	datadriven.Walk(t, "testdata/quorum", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "thresholds":
				return thresholds(t, d)
			case "joint":
				return joint(t, d)
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func thresholds(t *testing.T, d *datadriven.TestData) string {
	var b strings.Builder
	for _, f := range strings.Fields(d.Input) {
		n, err := strconv.ParseUint(f, 10, 64)
		require.NoError(t, err)
		fmt.Fprintf(&b, "%s: majority %d, 2f+1 %d, f+1 %d\n", f, consensus.Majority(weight(n)), consensus.TwoThirds(weight(n)), consensus.OneThird(weight(n)))
	}
	return b.String()
}

// joint reads "new=(a,b:2,c) old=(c,d)" and, on each line, where members are; it prints what is agreed, and whether those that are
// somewhere at all are a quorum.
func joint(t *testing.T, d *datadriven.TestData) string {
	var j consensus.Joint
	for _, arg := range d.CmdArgs {
		var ms []consensus.Member
		for _, v := range arg.Vals {
			id, w, _ := strings.Cut(v, "*")
			n, err := strconv.ParseUint(w+strings.Repeat("1", 1-min(1, len(w))), 10, 64)
			require.NoError(t, err)
			ms = append(ms, consensus.Member{ID: consensus.ID(id), Weight: weight(n)})
		}
		s, err := consensus.NewSet(ms...)
		require.NoError(t, err)
		if arg.Key == "new" {
			j.New = s
		} else {
			j.Old = s
		}
	}
	var b strings.Builder
	for line := range strings.Lines(d.Input) {
		at := map[consensus.ID]uint64{}
		fields := strings.Fields(line)
		for _, f := range fields {
			id, n, _ := strings.Cut(f, "=")
			v, err := strconv.ParseUint(n, 10, 64)
			require.NoError(t, err)
			require.True(t, j.Has(consensus.ID(id)), id)
			at[consensus.ID(id)] = v
		}
		slices.Sort(fields)
		yes := func(id consensus.ID) bool { return at[id] > 0 }
		fmt.Fprintf(&b, "%s: agreed %d, quorum %v\n", strings.Join(fields, " "), j.Agreed(func(id consensus.ID) uint64 { return at[id] }), j.Met(yes))
	}
	return b.String()
}
