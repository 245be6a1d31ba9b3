package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// TestFaults: the whole of it, small, on both transports: under load one node is killed and a minority cut off, and no promise is broken.
func TestFaults(t *testing.T) {
	for _, transport := range []string{"tcp", "quic"} {
		t.Run(transport, func(t *testing.T) {
			places := t.TempDir()
			t.Setenv("TMPDIR", places)
			status, stdout, stderr := command(t.Context(), "up", "--nodes", "5", "--slot", "80ms", "--until-block", "12",
				"--load", "40", "--kill-restart", "--partition", "--transport", transport, "--json")
			require.Equal(t, 0, status, stderr)
			require.Empty(t, stderr)
			var s summary
			require.NoError(t, json.Unmarshal([]byte(lastLine(stdout)), &s))
			require.True(t, s.Converged)
			require.Equal(t, 1, s.Restarts)
			require.Equal(t, 1, s.Partitions)
			require.Positive(t, s.Rollbacks)
			require.Positive(t, s.TxsOnChain)
			require.Equal(t, s.TxsAccepted, s.TxsOnChain+s.TxsPending)
			require.Zero(t, s.Violations+s.Leaks)
			require.Positive(t, s.FirstBlockSeconds)
			left, err := os.ReadDir(places)
			require.NoError(t, err)
			require.Empty(t, left, "the child's directory is removed")
		})
	}
}

// TestFaultsOnDisk: a network in a directory goes through the same, for a time instead of up to a block, and once more from where it ended: the accounts'
// nonces and the child's chain are those of the first run.
func TestFaultsOnDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "net")
	var last summary
	for _, flags := range [][]string{{"--nodes", "3", "--slot", "60ms", "--partition", "--kill-restart"}, {"--kill-restart"}} {
		status, stdout, stderr := command(t.Context(), append(flags, "--for", "1s", "--load", "40", "--json", "--data-dir", dir)...)
		require.Equal(t, 0, status, stderr)
		var s summary
		require.NoError(t, json.Unmarshal([]byte(lastLine(stdout)), &s))
		require.Equal(t, 1, s.Restarts)
		require.True(t, s.Converged)
		require.Greater(t, s.Height, last.Height)
		require.Positive(t, s.TxsOnChain)
		last = s
	}
}

// TestInterruptedFaults: an interrupt ends the run in the middle of everything, and nothing is left behind.
func TestInterruptedFaults(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out, status := newOutput(), -1
	var errs bytes.Buffer
	err := registry.Run(t.Context(), func(scoped context.Context, s *registry.Scope) error {
		s.Go("up", func(context.Context) error {
			status = execute(ctx, []string{"--nodes", "3", "--slot", "50ms", "--load", "40", "--kill-restart", "--partition", "--json"}, terminal{Writer: out}, &errs)
			return nil
		})
		_, err := out.await(scoped, ` cut\n`)
		interrupt()
		return err
	})
	require.NoError(t, err)
	require.Equal(t, 0, status, errs.String())
	var s summary
	require.NoError(t, json.Unmarshal([]byte(lastLine(out.text.Load(t.Context()))), &s))
	require.Equal(t, 1, s.Restarts)
	require.Zero(t, s.Partitions+s.Leaks)
}

// TestPlantedFaults: a fault that does not bite fails the run, and says which evidence is missing.
func TestPlantedFaults(t *testing.T) {
	for name, tc := range map[string]struct {
		o     options
		limit time.Duration
		want  string
	}{
		"a kill that does nothing": {options{nodes: 2, kill: true, plant: plant{kill: func(*process) error { return nil }}},
			3 * time.Second, `--kill-restart did not bite, missing: the end of process \d+`},
		"a kill that asks politely": {options{nodes: 2, kill: true, plant: plant{kill: func(p *process) error { return p.cmd.Cancel() }}},
			time.Minute, `--kill-restart did not bite, missing: an exit by SIGKILL \(process \d+: exit status 0\)`},
		"a cut that leaves all connected": {options{nodes: 3, partition: true, plant: plant{cut: func(*partition) {}}},
			1500 * time.Millisecond, `--partition did not bite, missing: the end of the connections across the cut`},
	} {
		t.Run(name, func(t *testing.T) {
			tc.o.limits = limits{fault: tc.limit}
			s, err := planted(t, tc.o)
			require.Error(t, err)
			require.Regexp(t, tc.want, err.Error())
			require.True(t, s.Converged)
			require.Zero(t, s.Partitions)
		})
	}
}

// TestPlantedLoss: a node that promises to keep transfers and does not is found out.
func TestPlantedLoss(t *testing.T) {
	liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusAccepted)
		}
		_, _ = io.WriteString(w, "{}")
	}))
	defer liar.Close()
	lie := func(nodes ...int) plant {
		return plant{urls: func(all []string) {
			for _, i := range nodes {
				all[i] = liar.URL
			}
		}}
	}
	few := limits{settle: 50 * time.Millisecond}
	s, err := planted(t, options{nodes: 2, until: 40, load: 100, limits: few, plant: lie(1)})
	require.Error(t, err)
	require.Regexp(t, `^\d+ accepted transfers are neither on the common chain nor in a mempool: [0-9a-f]{8}, accepted by node1 in slot \d+`, err.Error())
	require.NotContains(t, err.Error(), "no transfer came onto the chain")
	require.Positive(t, s.TxsOnChain)
	require.Greater(t, s.TxsAccepted, s.TxsOnChain+s.TxsPending)

	s, err = planted(t, options{nodes: 2, until: 40, load: 100, limits: few, plant: lie(0, 1)})
	require.ErrorContains(t, err, "no transfer came onto the chain under --load 100, though")
	require.Zero(t, s.TxsOnChain)
}

// TestPlantedRefusal: a load of which nothing is accepted shows nothing, and says why.
func TestPlantedRefusal(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = io.WriteString(w, `{"error":"not today"}`)
	}))
	defer refusing.Close()
	s, err := planted(t, options{nodes: 1, until: 20, load: 100, plant: plant{urls: func(all []string) { all[0] = refusing.URL }}})
	require.EqualError(t, err, "no transfer was accepted under --load 100 (not today (HTTP 400))")
	require.Zero(t, s.TxsAccepted)
	require.Positive(t, s.TxsRefused)
}

// TestKillEvidence: of what has to be seen, the first that was not is named.
func TestKillEvidence(t *testing.T) {
	e := killEvidence{pid: 7, pidAfter: 7, height: 3, heightTo: 3, exit: exit{how: "exit status 0"}}
	for _, step := range []struct {
		want string
		see  func()
	}{
		{"a block that the child has forged", func() { e.forged = true }},
		{"the end of process 7", func() { e.ended = true }},
		{"an exit by SIGKILL (process 7: exit status 0)", func() { e.exit.killed = true }},
		{"a new process that listens", func() { e.again = true }},
		{"a new process (it has number 7 again)", func() { e.pidAfter = 8 }},
		{"a chain longer than 3, the height when it was killed (it is at 3)", func() { e.caughtUp = true }},
	} {
		require.Equal(t, step.want, strings.Join(e.missing(), ", "))
		step.see()
	}
	require.Empty(t, e.missing())
}

// TestPartitionEvidence: the same for a partition.
func TestPartitionEvidence(t *testing.T) {
	var e partitionEvidence
	for _, step := range []struct {
		want string
		see  func()
	}{
		{"connections across the cut, before it", func() { e.linked = true }},
		{"the end of the connections across the cut", func() { e.cut = true }},
		{"different blocks at one height on both sides", func() { e.diverged = true }},
		{"one chain again after healing, a rollback after healing, on the side that gave way", func() { e.together = true }},
		{"a rollback after healing, on the side that gave way", func() { e.rollbacks = true }},
	} {
		require.Equal(t, step.want, strings.Join(e.missing(), ", "))
		step.see()
	}
	require.Empty(t, e.missing())
}

// fixed is a member that stands still.
type fixed struct {
	member
	blocks    []chain.Hash
	rollbacks uint64
}

func (f fixed) status(*stm.Tx) view {
	return view{Height: uint64(len(f.blocks)), Rollbacks: f.rollbacks}
}
func (f fixed) hashAt(_ *stm.Tx, number uint64) (chain.Hash, bool) {
	if number == 0 || number > uint64(len(f.blocks)) {
		return chain.Hash{}, false
	}
	return f.blocks[number-1], true
}

// TestDiverged: the first block in which the sides differ is found, if both have one of that height; and one chain again is the same block there.
func TestDiverged(t *testing.T) {
	whole, other := hashesOf(6, 99, 0), hashesOf(6, 4, 7)
	for name, tc := range map[string]struct {
		majority, minority []chain.Hash
		height             uint64 // of the divergence; 0: none
		reunited           bool   // at block 4
	}{
		"same":            {whole, whole, 0, true},
		"one behind":      {whole, whole[:3], 0, false},
		"forked":          {whole, other, 4, false},
		"forked, shorter": {whole, other[:4], 4, false},
		"forked, longer":  {whole[:5], other, 4, false},
		"not yet forked":  {whole[:3], other, 0, false},
		"from the start":  {hashesOf(2, 1, 3), hashesOf(2, 1, 4), 1, false},
		"nothing":         {nil, nil, 0, false},
	} {
		n := &network{members: []member{fixed{blocks: tc.majority}, fixed{blocks: tc.minority}}, locals: make([]*local, 2), partition: &partition{first: 1}}
		err := stm.Do(t.Context(), func(tx *stm.Tx) error {
			where, found := n.diverged(tx)
			require.Equal(t, tc.height > 0, found, name)
			require.Equal(t, tc.height, where.height, name)
			if found {
				require.NotEqual(t, where.majority, where.minority)
			}
			require.Equal(t, tc.reunited, n.reunited(tx, 4), name)
			return nil
		})
		require.NoError(t, err)
	}
}

// TestGaveWay: a rollback is asked of the side that holds another block than during the cut, whichever that is, and of no other.
func TestGaveWay(t *testing.T) {
	ours, theirs := hashesOf(6, 4, 1), hashesOf(6, 4, 2)
	where := split{height: 4, majority: ours[3], minority: theirs[3]}
	for name, tc := range map[string]struct {
		now                []chain.Hash // on both sides
		majority, minority uint64       // rollbacks; before they were 1
		want               bool
	}{
		"the minority":                   {ours, 1, 2, true},
		"the minority, without a trace":  {ours, 2, 1, false},
		"the majority":                   {theirs, 2, 1, true},
		"the majority, without a trace":  {theirs, 1, 2, false},
		"both, for a third block":        {hashesOf(6, 4, 3), 2, 2, true},
		"both, of which one has counted": {hashesOf(6, 4, 3), 2, 1, false},
		"too short":                      {ours[:3], 2, 2, false},
	} {
		n := &network{partition: &partition{first: 1}, members: []member{
			fixed{blocks: tc.now, rollbacks: tc.majority}, fixed{blocks: tc.now, rollbacks: tc.minority},
		}}
		got, err := stm.Query(t.Context(), func(tx *stm.Tx) bool {
			return n.gaveWay(tx, [2]view{{Rollbacks: 1}, {Rollbacks: 1}}, where)
		})
		require.NoError(t, err)
		require.Equal(t, tc.want, got, name)
	}
}
