package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/examples/testnet/home"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// output is standard output as a Var, so that a test can wait for what it says.
type output struct{ text *stm.Var[string] }

func newOutput() output { return output{stm.NewVar("")} }

func (o output) Write(p []byte) (int, error) {
	return len(p), stm.Do(context.Background(), func(tx *stm.Tx) error {
		o.text.Set(tx, o.text.Get(tx)+string(p))
		return nil
	})
}

// await waits until the output matches and gives the submatches.
func (o output) await(ctx context.Context, pattern string) ([]string, error) {
	re := regexp.MustCompile(pattern)
	return stm.Query(ctx, func(tx *stm.Tx) []string {
		m := re.FindStringSubmatch(o.text.Get(tx))
		tx.Check(m != nil)
		return m
	})
}

// command runs the program in this process.
func command(ctx context.Context, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = execute(ctx, args, terminal{Writer: &out}, &errs)
	return status, out.String(), errs.String()
}

func given(o options, flags ...string) options {
	o.explicit = func(name string) bool { return slices.Contains(flags, name) }
	return o
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	return lines[len(lines)-1]
}

// TestUp: three nodes over real libp2p agree, and everything ends.
func TestUp(t *testing.T) {
	status, stdout, stderr := command(t.Context(), "up", "--nodes", "3", "--slot", "60ms", "--until-block", "5", "--json")
	require.Equal(t, 0, status, stderr)
	require.Empty(t, stderr)
	var s summary
	require.NoError(t, json.Unmarshal([]byte(lastLine(stdout)), &s))
	require.True(t, s.Converged)
	require.Equal(t, 3, s.Nodes)
	require.GreaterOrEqual(t, s.Height, uint64(5))
	require.Zero(t, s.Violations+s.Leaks)
}

// TestContinue: with a data directory a second run goes on where the first ended; --seed prints its warning.
func TestContinue(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "net")
	flags := []string{"--nodes", "2", "--slot", "50ms", "--seed", "4", "--json", "--data-dir", dir, "--until-block"}
	status, first, stderr := command(t.Context(), append(flags, "4")...)
	require.Equal(t, 0, status, stderr)
	require.Equal(t, "testnet: warning: keys are derived from --seed 4 and are no secret\n", stderr)
	key, err := os.ReadFile(filepath.Join(dir, "node0", home.LeaderFile))
	require.NoError(t, err)

	status, second, stderr := command(t.Context(), "--json", "--data-dir", dir, "--until-block", "8")
	require.Equal(t, 0, status, stderr)
	require.Equal(t, "testnet: warning: keys are derived from --seed 4 and are no secret\n", stderr, "the keys are no better the second time")
	genesis := regexp.MustCompile(`genesis [0-9a-f]{8}`)
	require.Equal(t, genesis.FindString(first), genesis.FindString(second))
	var before, after summary
	require.NoError(t, json.Unmarshal([]byte(lastLine(first)), &before))
	require.NoError(t, json.Unmarshal([]byte(lastLine(second)), &after))
	require.GreaterOrEqual(t, after.Height, uint64(8))
	start := regexp.MustCompile(`heights (\d+)`).FindStringSubmatch(second)
	require.NotNil(t, start, second)
	require.NotEqual(t, "0", start[1], "the first height shown is the first run's")
	again, err := os.ReadFile(filepath.Join(dir, "node0", home.LeaderFile))
	require.NoError(t, err)
	require.Equal(t, key, again)
}

// TestHTTPAndLock: a running network answers on its ports; nobody else may use its directory; an interrupt ends it in order.
func TestHTTPAndLock(t *testing.T) {
	dir := t.TempDir()
	ctx, interrupt := context.WithCancel(t.Context())
	out, status := newOutput(), -1
	var errs bytes.Buffer
	err := registry.Run(t.Context(), func(scoped context.Context, s *registry.Scope) error {
		s.Go("up", func(context.Context) error {
			status = execute(ctx, []string{"--nodes", "2", "--slot", "50ms", "--data-dir", dir}, terminal{Writer: out}, &errs)
			return nil
		})
		defer interrupt()
		m, err := out.await(scoped, `node0 (http\S+)/status`)
		if err != nil {
			return err
		}
		if _, err := out.await(scoped, `heights 3`); err != nil {
			return err
		}
		checkHTTP(t, m[1])
		code, _, stderr := command(t.Context(), "--data-dir", dir)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, filepath.Join(dir, "node0", home.StoreFolder))
		require.Contains(t, stderr, "in use")
		require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 0, status, errs.String())
	require.Empty(t, errs.String())
}

func checkHTTP(t *testing.T, url string) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for path, want := range map[string]string{
		"/status":                   `"name":"node0"`,
		"/chain?from=1&limit=2":     `"height":2`,
		"/chain?from=999999":        `"blocks":[]`,
		"/chain?from=1&limit=10000": "limit=10000: want 1 to 1000",
		"/metrics":                  "synod_height",
		"/debug/scopes":             "chainsel",
	} {
		res, err := client.Get(url + path)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Contains(t, string(body), want, path)
	}
}

// TestErrorLines: each bad input is one line that says which, and exit status 1.
func TestErrorLines(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	for want, args := range map[string][]string{
		"unknown flag: --bogus":                                         {"--bogus"},
		`unknown command "down"`:                                        {"down"},
		`up takes no argument`:                                          {"up", "more"},
		"--nodes 0: want 1 to 50":                                       {"--nodes", "0"},
		"--slot 1ms: want 20ms to 1h0m0s":                               {"--slot", "1ms"},
		"--slot 20.5ms: want whole milliseconds":                        {"--slot", "20.5ms"},
		"--base-port -1: want 0 to 65535":                               {"--base-port", "-1"},
		"the last port would be 65537":                                  {"--base-port", "65533"},
		`--transport "udp": want tcp or quic`:                           {"--transport", "udp"},
		"--load -1: want 0 to 10000":                                    {"--load", "-1"},
		"--load 10001: want 0 to 10000":                                 {"--load", "10001"},
		"--for -1s: want more than 0":                                   {"--for", "-1s"},
		"--for 1s and --until-block 2: want one of them":                {"--for", "1s", "--until-block", "2"},
		"--kill-restart with --nodes 1: want 2 or more":                 {"--kill-restart", "--nodes", "1"},
		"--partition with --nodes 2: want 3 or more":                    {"--partition", "--nodes", "2"},
		`--log-level "loud"`:                                            {"--log-level", "loud"},
		"--data-dir: want a directory":                                  {"--data-dir", ""},
		"--base-port " + port + ": node0: listen tcp 127.0.0.1:" + port: {"--base-port", port, "--nodes", "1"},
		"invalid argument \"x\" for \"--until-block\"":                  {"--until-block", "x"},
	} {
		status, stdout, stderr := command(t.Context(), args...)
		require.Equal(t, 1, status, want)
		require.Empty(t, stdout)
		require.Contains(t, stderr, want)
		require.True(t, strings.HasPrefix(stderr, "testnet: "))
		require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
	}
}

// TestForeignStore: the store of another network in a node's place is refused with both values, and nothing is overwritten.
func TestForeignStore(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for _, dir := range []string{a, b} {
		status, _, stderr := command(t.Context(), "--nodes", "1", "--slot", "20ms", "--until-block", "1", "--data-dir", dir)
		require.Equal(t, 0, status, stderr)
	}
	place := filepath.Join(a, "node0", home.StoreFolder)
	require.NoError(t, os.RemoveAll(place))
	require.NoError(t, os.Rename(filepath.Join(b, "node0", home.StoreFolder), place))
	status, _, stderr := command(t.Context(), "--data-dir", a, "--until-block", "2")
	require.Equal(t, 1, status)
	require.Regexp(t, `^testnet: node0: .*another network: genesis: ours is [0-9a-f]{64}, stored is [0-9a-f]{64}\n$`, stderr)
}

// TestStall plants a network that makes no block: it is given up, with the reason.
func TestStall(t *testing.T) {
	o := given(options{nodes: 1, slot: time.Hour, transport: "tcp", until: 1, json: true, logLevel: "error", limits: limits{stall: 20 * time.Millisecond}})
	var out bytes.Buffer
	err := up(t.Context(), o, terminal{Writer: &out}, io.Discard)
	require.EqualError(t, err, "block 1 was not reached (the shortest chain did not grow for 20ms): node0 at 0")
	require.Contains(t, lastLine(out.String()), `"converged":false`)
}

// planted runs a small network in which something is broken once it is up, and gives the verdict.
func planted(t *testing.T, o options) (summary, error) {
	t.Helper()
	if o.until == 0 {
		o.until = 3
	}
	o.slot, o.json, o.logLevel, o.transport = 50*time.Millisecond, true, "error", "tcp"
	o.limits.leak = 50 * time.Millisecond
	var out bytes.Buffer
	err := up(t.Context(), given(o), terminal{Writer: &out}, io.Discard)
	var s summary
	require.NoError(t, json.Unmarshal([]byte(lastLine(out.String())), &s))
	return s, err
}

// TestPlantedViolation: one recorded violation fails a run that converged.
func TestPlantedViolation(t *testing.T) {
	s, err := planted(t, options{nodes: 3, plant: plant{running: func(ctx context.Context, n *network) error {
		n.locals[0].replica.Peers().Report(ctx, &p2p.Violation{
			Peer: n.locals[1].replica.PeerID(), Protocol: "chainsync", State: "Idle", Kind: p2p.Garbage, Err: errors.New("planted"),
		})
		return nil
	}}})
	require.ErrorContains(t, err, "violations recorded: node0 against p2p: peer")
	require.ErrorContains(t, err, "planted")
	require.Equal(t, 1, s.Violations)
	require.True(t, s.Converged)
}

// TestPlantedGoroutine: a goroutine that outlives the run fails it.
func TestPlantedGoroutine(t *testing.T) {
	end := make(chan struct{})
	defer close(end)
	s, err := planted(t, options{nodes: 1, plant: plant{running: func(context.Context, *network) error {
		for range 100 { // more than can be ending, of earlier tests, meanwhile
			go func() { <-end }()
		}
		return nil
	}}})
	require.Error(t, err)
	require.Regexp(t, `^left running: \d+ goroutines$`, err.Error())
	require.Equal(t, 1, s.Leaks)
}

// TestPlantedFork: nodes that cannot hear each other make chains of their own; the run ends, and says where they differ.
func TestPlantedFork(t *testing.T) {
	s, err := planted(t, options{nodes: 2, limits: limits{stall: time.Second}, plant: plant{dials: func(int, int) []int { return nil }}})
	require.ErrorContains(t, err, "chains differ at block 1: node0 has ")
	require.False(t, s.Converged)
}

// TestRemains: what a scope could not end is a leak, what failed is a failure, and neither hides the other.
func TestRemains(t *testing.T) {
	leaks, err := remains(&registry.StuckError{Left: []registry.Tree{{Kind: "task", Name: "http"}}})
	require.NoError(t, err)
	require.Equal(t, []string{"task http"}, leaks)

	// A failure beside a leak is not lost, nor the leak; and a sentence that wraps two errors is one failure.
	sentence := fmt.Errorf("%w: %w", errors.New("the disk"), errors.New("is full"))
	_, err = remains(errors.Join(errOver, errors.Join(sentence, &registry.StuckError{Left: []registry.Tree{{Kind: "task", Name: "http"}}})))
	require.EqualError(t, err, "the disk: is full\nleft running: task http")
}

// TestMissingStore: a network whose store is gone is refused, since its keys may have signed slots that nobody remembers.
func TestMissingStore(t *testing.T) {
	dir := t.TempDir()
	status, _, stderr := command(t.Context(), "--nodes", "1", "--slot", "20ms", "--until-block", "1", "--data-dir", dir)
	require.Equal(t, 0, status, stderr)
	place := filepath.Join(dir, "node0", home.StoreFolder)
	require.NoError(t, os.RemoveAll(place))
	status, _, stderr = command(t.Context(), "--data-dir", dir, "--until-block", "2")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, place+" is missing")
	require.NoDirExists(t, place)
}
