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
	short := limits{fault: 1500 * time.Millisecond, settle: time.Millisecond}
	for name, tc := range map[string]struct {
		o    options
		want string
	}{
		"a kill that does nothing": {options{nodes: 2, kill: true, plant: plant{kill: func(*process) error { return nil }}},
			`--kill-restart did not bite, missing: the end of process \d+`},
		"a kill that asks politely": {options{nodes: 2, kill: true, plant: plant{kill: func(p *process) error { return p.cmd.Cancel() }}},
			`--kill-restart did not bite, missing: an exit by SIGKILL \(process \d+: exit status 0\)`},
		"a cut that leaves all connected": {options{nodes: 3, partition: true, plant: plant{cut: func(*partition) {}}},
			`--partition did not bite, missing: the end of the connections across the cut`},
	} {
		t.Run(name, func(t *testing.T) {
			tc.o.limits = short
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
		{"one chain again after healing, a rollback after healing, on a node of the minority", func() { e.together = true }},
		{"a rollback after healing, on a node of the minority", func() { e.rollbacks = true }},
	} {
		require.Equal(t, step.want, strings.Join(e.missing(), ", "))
		step.see()
	}
	require.Empty(t, e.missing())
}

// fixed is a member that stands still.
type fixed struct {
	member
	view   view
	blocks []chain.Hash
}

func (f fixed) status(*stm.Tx) view { return f.view }
func (f fixed) hashAt(_ *stm.Tx, number uint64) (chain.Hash, bool) {
	if number == 0 || number > uint64(len(f.blocks)) {
		return chain.Hash{}, false
	}
	return f.blocks[number-1], true
}

func fixedAt(blocks []chain.Hash) fixed {
	f := fixed{blocks: blocks, view: view{Height: uint64(len(blocks))}}
	if len(blocks) > 0 {
		f.view.Tip = blocks[len(blocks)-1]
	}
	return f
}

// TestTogether: nodes are together when each tip lies on the longer of two chains.
func TestTogether(t *testing.T) {
	whole := hashesOf(6, 99, 0)
	for name, tc := range map[string]struct {
		members []member
		want    bool
	}{
		"alone":         {[]member{fixedAt(whole)}, true},
		"same":          {[]member{fixedAt(whole), fixedAt(whole)}, true},
		"one behind":    {[]member{fixedAt(whole), fixedAt(whole[:3])}, true},
		"one ahead":     {[]member{fixedAt(whole[:3]), fixedAt(whole)}, true},
		"forked":        {[]member{fixedAt(whole), fixedAt(hashesOf(6, 4, 7))}, false},
		"forked, short": {[]member{fixedAt(whole), fixedAt(hashesOf(4, 4, 7))}, false},
	} {
		n := &network{members: tc.members}
		got, err := stm.Query(context.Background(), n.together)
		require.NoError(t, err)
		require.Equal(t, tc.want, got, name)
	}
}
