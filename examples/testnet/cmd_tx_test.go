package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/examples/testnet/home"
)

func sendArgs(dir, url string, more ...string) []string {
	return append([]string{"tx", "send", "--home", dir, "--node", url, "--from", "alice", "--to", "bob", "--amount", "5"}, more...)
}

// TestSendWaits: status 0 is a transfer in a block, printed as a line or as JSON; host:port is enough for --node.
func TestSendWaits(t *testing.T) {
	withNodeRunning(t, "100ms", func(dir, url string) {
		status, stdout, stderr := command(t.Context(), sendArgs(dir, strings.TrimPrefix(url, "http://"), "--wait", "--fee", "3")...)
		require.Equal(t, 0, status, stderr)
		require.Regexp(t, `^[0-9a-f]{64} included: coin1\w{40} pays coin1\w{40} 5, fee 3, nonce 0, block \d+ of slot \d+, [0-9a-f]{64}\n$`, stdout)
		h, err := home.Open(dir)
		require.NoError(t, err)
		address := h.Accounts[2].Address().String()
		status, stdout, stderr = command(t.Context(), "tx", "send", "--home", dir, "--node", url, "--from", "alice", "--to", address, "--amount", "5",
			"--wait", "--json")
		require.Equal(t, 0, status, stderr)
		var got sent
		require.NoError(t, json.Unmarshal([]byte(stdout), &got))
		require.Equal(t, api.Included, got.Stage)
		require.EqualValues(t, 1, got.Nonce)
	})
}

// TestSendRefused: each fault is one line that says where it lies, and the account is as it was.
func TestSendRefused(t *testing.T) {
	withNodeRunning(t, "1h", func(dir, url string) {
		other := filepath.Join(t.TempDir(), "net")
		status, _, stderr := command(t.Context(), "init", "--nodes", "1", "--out", other)
		require.Equal(t, 0, status, stderr)
		replace := func(flag, value string) []string {
			args := sendArgs(dir, url)
			for i, a := range args {
				if a == flag {
					args[i+1] = value
				}
			}
			return args
		}
		for want, args := range map[string][]string{
			"has 1000000, amount and fee need 2000001":                replace("--amount", "2000000"),
			"the amount is 0, at least 1":                             replace("--amount", "0"),
			"the fee is 0, at least 1":                                append(sendArgs(dir, url), "--fee", "0"),
			`invalid argument "-1" for "--amount"`:                    replace("--amount", "-1"),
			`--from: ` + dir + ` has no key "nobody"`:                 replace("--from", "nobody"),
			`--to: "coin1x" is neither an address nor the name`:       replace("--to", "coin1x"),
			"--node is of another network: its genesis is":            replace("--home", other),
			"connection refused":                                      replace("--node", "127.0.0.1:1"),
			"--node: api: ":                                           replace("--node", "ftp://x"),
			`required flag(s) "amount", "to" not set`:                 {"tx", "send", "--from", "alice"},
			`unknown command "sned" for testnet tx (there are: send)`: {"tx", "sned"},
			"unknown flag: --nonce":                                   append(sendArgs(dir, url), "--nonce", "1"),
		} {
			status, stdout, stderr := command(t.Context(), args...)
			require.Equal(t, 1, status, want)
			require.Empty(t, stdout, want)
			require.Contains(t, stderr, want)
			require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
		}
		_, stdout, _ := command(t.Context(), "keys", "show", "alice", "--home", dir, "--node", url)
		require.Contains(t, stdout, " balance 1000000 next nonce 0\n")

		status, stdout, stderr = command(t.Context(), sendArgs(dir, url)...)
		require.Equal(t, 0, status, stderr)
		require.Contains(t, stdout, " pending: ")
		status, stdout, stderr = command(t.Context(), sendArgs(dir, url, "--wait", "--timeout", "50ms")...)
		require.Equal(t, 1, status)
		require.Empty(t, stdout)
		require.Regexp(t, `^testnet: [0-9a-f]{64} was accepted, but is not in a block yet: 50ms have passed\n$`, stderr)
	})
}

// TestSendWaitsInVain: a transfer that a node refuses later, forgets, or goes down with, is status 1 with the reason.
func TestSendWaitsInVain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "net")
	status, _, stderr := command(t.Context(), "init", "--nodes", "1", "--out", dir)
	require.Equal(t, 0, status, stderr)
	g, err := home.ReadGenesis(dir)
	require.NoError(t, err)
	for name, tc := range map[string]struct {
		answer func(id string) string // to GET /tx; empty: 404
		want   string
	}{
		"refused":   {func(id string) string { return fmt.Sprintf(`{"hash":%q,"stage":"refused","reason":"too late"}`, id) }, "was refused: too late"},
		"forgotten": {func(string) string { return "" }, "was accepted, but the node has forgotten it"},
		"ended":     {func(id string) string { return fmt.Sprintf(`{"hash":%q,"stage":"pending"}`, id) }, "the node has ended its events"},
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"genesis":%q}`, g.Hash()) })
			mux.HandleFunc("GET /account/", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{}`) })
			mux.HandleFunc("GET /events", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "data: {}\n\n") })
			mux.HandleFunc("POST /tx", func(w http.ResponseWriter, r *http.Request) {
				raw, _ := io.ReadAll(r.Body)
				w.WriteHeader(http.StatusAccepted)
				fmt.Fprintf(w, `{"hash":%q}`, chain.HashOf(raw))
			})
			mux.HandleFunc("GET /tx/{id}", func(w http.ResponseWriter, r *http.Request) {
				if text := tc.answer(r.PathValue("id")); text != "" {
					io.WriteString(w, text)
					return
				}
				w.WriteHeader(http.StatusNotFound)
			})
			server := httptest.NewServer(mux)
			defer server.Close()
			status, _, stderr := command(t.Context(), sendArgs(dir, server.URL, "--wait")...)
			require.Equal(t, 1, status)
			require.Contains(t, stderr, tc.want)
		})
	}
}
