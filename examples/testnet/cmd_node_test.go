package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/examples/testnet/home"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// spawned is a node that runs as a process.
type spawned struct {
	cmd    *exec.Cmd
	ready  ready
	stdout output
	stderr *bytes.Buffer
}

// spawn starts a node from its folder and waits until it answers.
func spawn(t *testing.T, dir string, args ...string) *spawned {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	s := &spawned{cmd: exec.Command(self, append([]string{"node", "--home", dir}, args...)...), stdout: newOutput(), stderr: new(bytes.Buffer)}
	s.cmd.Stdout, s.cmd.Stderr = s.stdout, s.stderr
	require.NoError(t, s.cmd.Start())
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); _ = s.cmd.Wait() }) // for a test that fails
	line, err := s.stdout.await(t.Context(), `^(.*)\n`)
	require.NoError(t, err, s.stderr)
	require.NoError(t, json.Unmarshal([]byte(line[1]), &s.ready))
	require.Equal(t, s.cmd.Process.Pid, s.ready.PID)
	return s
}

// end tells the process to end, by a signal, and checks that it does so in order and has printed nothing but its first line.
func (s *spawned) end(t *testing.T, signal os.Signal) {
	t.Helper()
	require.NoError(t, s.cmd.Process.Signal(signal))
	require.NoError(t, s.cmd.Wait(), s.stderr)
	require.Empty(t, s.stderr.String())
	require.Equal(t, 1, strings.Count(s.stdout.text.Load(t.Context()), "\n"))
}

// freePorts gives the first of n neighbouring ports that nobody uses on loopback, for TCP or UDP.
func freePorts(t *testing.T, n int) int {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		base := l.Addr().(*net.TCPAddr).Port
		require.NoError(t, l.Close())
		if base+n < 65536 && allFree(base, n) {
			return base
		}
	}
	t.Fatal("no neighbouring free ports")
	return 0
}

func allFree(base, n int) bool {
	for port := base; port < base+n; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return false
		}
		l.Close()
		u, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return false
		}
		u.Close()
	}
	return true
}

// waitFor follows a node's events until its status is as wanted.
func waitFor(t *testing.T, url string, want func(api.Status) bool) api.Status {
	t.Helper()
	c, err := api.NewClient(url)
	require.NoError(t, err)
	defer c.Close()
	for s, err := range c.Events(t.Context()) {
		require.NoError(t, err)
		if want(s) {
			return s
		}
	}
	t.Fatal("the events ended")
	return api.Status{}
}

// TestProcesses: init, three nodes as processes, transfers between them; one is killed and started again; then all end in order and leave nothing.
func TestProcesses(t *testing.T) {
	for _, transport := range []string{"tcp", "quic"} {
		t.Run(transport, func(t *testing.T) { testProcesses(t, transport) })
	}
}

func testProcesses(t *testing.T, transport string) {
	dir, ports := filepath.Join(t.TempDir(), "net"), freePorts(t, 6)
	status, _, stderr := command(t.Context(), "init", "--nodes", "3", "--out", dir, "--slot", "200ms", "--transport", transport,
		"--p2p-port", fmt.Sprint(ports), "--http-port", fmt.Sprint(ports+3))
	require.Equal(t, 0, status, stderr)
	var nodes []*spawned
	for i := range 3 {
		nodes = append(nodes, spawn(t, filepath.Join(dir, fmt.Sprintf("node%d", i))))
		require.Equal(t, fmt.Sprintf("http://127.0.0.1:%d", ports+3+i), nodes[i].ready.HTTP)
	}
	waitFor(t, nodes[1].ready.HTTP, func(s api.Status) bool { return s.Peers == 2 })

	got := send(t, dir, nodes[1], "alice", "bob", 500)
	waitFor(t, nodes[2].ready.HTTP, func(s api.Status) bool { return s.Height > got.Block.Height })
	status, stdout, stderr := command(t.Context(), "chain", "--node", nodes[2].ready.HTTP, "--from", fmt.Sprint(got.Block.Height), "--limit", "1")
	require.Equal(t, 0, status, stderr)
	require.Contains(t, stdout, fmt.Sprintf("  %v %v pays %v 500, fee 1, nonce 0\n", got.Hash, got.From, got.To))
	require.Contains(t, stdout, " transfers 1\n")

	require.NoError(t, nodes[0].cmd.Process.Kill())
	require.Error(t, nodes[0].cmd.Wait())
	again := spawn(t, filepath.Join(dir, "node0"))
	require.NotEqual(t, nodes[0].ready.PID, again.ready.PID)
	nodes[0] = again
	waitFor(t, again.ready.HTTP, func(s api.Status) bool { return s.Peers == 2 && s.Height > got.Block.Height })
	send(t, dir, again, "bob", "carol", 1_000_400)
	status, stdout, stderr = command(t.Context(), "keys", "show", "bob", "--home", dir, "--node", again.ready.HTTP)
	require.Equal(t, 0, status, stderr)
	require.Contains(t, stdout, " balance 99 next nonce 1\n")

	status, _, stderr = command(t.Context(), "node", "--home", filepath.Join(dir, "node1"))
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "in use", "its place is taken")
	for i, n := range nodes {
		require.Zero(t, waitFor(t, n.ready.HTTP, func(api.Status) bool { return true }).Violations)
		n.end(t, []os.Signal{syscall.SIGTERM, os.Interrupt, syscall.SIGTERM}[i])
	}
	require.True(t, allFree(ports, 6), "nothing listens any more")
}

// TestAcceptedSurvivesKill: status 0 of tx send means that not even SIGKILL right after it loses the transfer.
func TestAcceptedSurvivesKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "net")
	status, _, stderr := command(t.Context(), "init", "--nodes", "1", "--out", dir, "--slot", "1h")
	require.Equal(t, 0, status, stderr)
	start := func() *spawned {
		return spawn(t, filepath.Join(dir, "node0"), "--listen", "/ip4/127.0.0.1/tcp/0", "--http", "127.0.0.1:0")
	}
	var ids []chain.Hash
	for round := range 3 {
		n := start()
		for range 2 {
			status, stdout, stderr := command(t.Context(), "tx", "send", "--home", dir, "--node", n.ready.HTTP, "--from", "alice", "--to", "bob",
				"--amount", "5", "--json")
			require.Equal(t, 0, status, stderr)
			var got sent
			require.NoError(t, json.Unmarshal([]byte(stdout), &got))
			require.EqualValues(t, len(ids), got.Nonce, "those before are remembered")
			ids = append(ids, got.Hash)
		}
		require.NoError(t, n.cmd.Process.Kill(), round)
		require.Error(t, n.cmd.Wait())
	}
	n := start()
	c, err := api.NewClient(n.ready.HTTP)
	require.NoError(t, err)
	defer c.Close()
	for _, id := range ids {
		got, err := c.Tx(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, api.Pending, got.Stage)
	}
	n.end(t, syscall.SIGTERM)
}

// send is tx send --wait.
func send(t *testing.T, dir string, n *spawned, from, to string, amount int) sent {
	t.Helper()
	status, stdout, stderr := command(t.Context(), "tx", "send", "--home", dir, "--node", n.ready.HTTP, "--from", from, "--to", to,
		"--amount", fmt.Sprint(amount), "--wait", "--json")
	require.Equal(t, 0, status, stderr)
	var got sent
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	require.Equal(t, api.Included, got.Stage)
	return got
}

// withNodeRunning runs one node in this process while body runs.
func withNodeRunning(t *testing.T, slot string, body func(dir, url string)) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "net")
	status, _, stderr := command(t.Context(), "init", "--nodes", "1", "--out", dir, "--slot", slot)
	require.Equal(t, 0, status, stderr)
	ctx, interrupt := context.WithCancel(t.Context())
	out := newOutput()
	var errs bytes.Buffer
	require.NoError(t, registry.Run(t.Context(), func(scoped context.Context, s *registry.Scope) error {
		defer interrupt()
		node := registry.Fork(s, "node", func(context.Context) (int, error) {
			return execute(ctx, []string{"node", "--home", filepath.Join(dir, "node0"), "--listen", "/ip4/127.0.0.1/tcp/0", "--http", "127.0.0.1:0"},
				terminal{Writer: out}, &errs), nil
		})
		line, err := stm.Query(scoped, func(tx *stm.Tx) string {
			text := out.text.Get(tx)
			if _, _, ended := node.Poll(tx); !ended {
				tx.Check(text != "")
			}
			return text
		})
		require.NoError(t, err)
		var r ready
		require.NoError(t, json.Unmarshal([]byte(line), &r), errs.String())
		body(dir, r.HTTP)
		interrupt()
		code, err := node.Wait(scoped)
		require.Equal(t, 0, code, errs.String())
		return err
	}))
}

// TestNodeRefuses: a configuration that lies ends the node at its start, with one line that names the field.
func TestNodeRefuses(t *testing.T) {
	net, other := t.TempDir(), t.TempDir()
	for _, dir := range []string{net, other} {
		status, _, stderr := command(t.Context(), "init", "--nodes", "2", "--out", dir)
		require.Equal(t, 0, status, stderr)
	}
	folder := filepath.Join(net, "node0")
	n, err := home.LoadNode(folder)
	require.NoError(t, err)
	for want, args := range map[string][]string{
		"config.json: no such file":                     {"--home", net},
		"required flag(s) \"home\" not set":             {},
		`--log-level "loud"`:                            {"--home", folder, "--log-level", "loud"},
		"command line: listen: ":                        {"--home", folder, "--listen", "127.0.0.1:1"},
		"command line: http: ":                          {"--home", folder, "--http", "here"},
		"command line: listen: \"/ip4/127.0.0.1/tcp":    {"--home", folder, "--transport", "quic"},
		"command line: peers[0]: \"/ip4/127.0.0.1/tcp/": {"--home", folder, "--peer", "/ip4/127.0.0.1/tcp/1/p2p/" + n.Config.PeerID},
		"command line: peers[1]: ":                      {"--home", folder, "--peer", n.Config.Peers[0], "--peer", n.Config.Peers[0]},
	} {
		refused(t, want, args...)
	}
	replace := func(name string, from string) {
		text, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.Remove(filepath.Join(folder, name)))
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), text, 0o600))
	}
	replace(home.LeaderFile, filepath.Join(net, "node1", home.LeaderFile))
	refused(t, "config.json: leader_key: ", "--home", folder)
	require.NoError(t, os.Chmod(filepath.Join(folder, home.LeaderFile), 0o644))
	refused(t, "others may read it (mode 0644): want 0600", "--home", folder)
	replace(home.GenesisFile, filepath.Join(other, home.GenesisFile))
	refused(t, "config.json: genesis: ", "--home", folder)
}

func refused(t *testing.T, want string, args ...string) {
	t.Helper()
	status, stdout, stderr := command(t.Context(), append([]string{"node"}, args...)...)
	require.Equal(t, 1, status, want)
	require.Empty(t, stdout)
	require.Contains(t, stderr, want)
	require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
}

// TestNodeInterrupted: an interrupt ends a node in order even while it starts.
func TestNodeInterrupted(t *testing.T) {
	dir := t.TempDir()
	status, _, stderr := command(t.Context(), "init", "--nodes", "1", "--out", dir)
	require.Equal(t, 0, status, stderr)
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	for range 3 {
		status, _, stderr = command(ctx, "node", "--home", filepath.Join(dir, "node0"), "--listen", "/ip4/127.0.0.1/tcp/0", "--http", "127.0.0.1:0")
		require.Equal(t, 0, status, stderr)
		require.Empty(t, stderr)
	}
}

// TestNodeOfAnotherNetwork: a store that belongs elsewhere is refused at the start, by its identity.
func TestNodeOfAnotherNetwork(t *testing.T) {
	withNodeRunning(t, "50ms", func(dir, _ string) {
		place := filepath.Join(dir, "node0", home.StoreFolder)
		other := filepath.Join(t.TempDir(), "net")
		status, _, stderr := command(t.Context(), "init", "--nodes", "1", "--out", other)
		require.Equal(t, 0, status, stderr)
		require.NoError(t, os.RemoveAll(filepath.Join(other, "node0", home.StoreFolder)))
		require.NoError(t, os.Symlink(place, filepath.Join(other, "node0", home.StoreFolder)))
		refused(t, "in use", "--home", filepath.Join(other, "node0"), "--listen", "/ip4/127.0.0.1/tcp/0", "--http", "127.0.0.1:0")
	})
}
