package api

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/stm"
)

func ask(f *fake, method, target, body string) (status int, answer string) {
	w := httptest.NewRecorder()
	handlerOf(f).ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	return w.Code, w.Body.String()
}

func TestRoutes(t *testing.T) {
	address := coin.AddressOf(sign.KeyFromSeed([32]byte{1}).Public()).String()
	hash := func(s string) string { return chain.HashOf([]byte(s)).String() }
	for _, tc := range []struct {
		method, target, body string
		status               int
		want                 string
	}{
		{"GET", "/status", "", 200, `"height":4`},
		{"GET", "/chain", "", 200, `"body_bytes":100`},
		{"GET", "/chain?from=7&limit=1000", "", 200, `"height":7`},
		{"GET", "/chain?from=999", "", 200, `"blocks":[]`},
		{"GET", "/chain?from=0", "", 400, "from=0: want a block number of 1 or more"},
		{"GET", "/chain?limit=0", "", 400, "limit=0: want 1 to 1000"},
		{"GET", "/chain?limit=1001", "", 400, "limit=1001: want 1 to 1000"},
		{"GET", "/chain?limit=-1", "", 400, `limit=\"-1\": want a number`},
		{"GET", "/chain?from=99999999999999999999", "", 400, "want a number"},
		{"GET", "/chain?from=x", "", 400, "want a number"},
		{"GET", "/chain?from=1&from=2", "", 400, "from: given 2 times"},
		{"GET", "/chain?form=1", "", 400, `unknown parameter \"form\"`},
		{"GET", "/chain?from=%zz", "", 400, "invalid URL escape"},
		{"POST", "/tx", "ok 1", 202, chain.HashOf([]byte("ok 1")).String()},
		{"POST", "/tx", "bad", 400, `"error":"refused: not ok"`},
		{"POST", "/tx", "", 400, "not ok"},
		{"POST", "/tx", "ok" + strings.Repeat("x", TxBytesMax-2), 202, "hash"},
		{"POST", "/tx", "ok" + strings.Repeat("x", TxBytesMax-1), 413, "more than 65536 bytes"},
		{"GET", "/tx/" + hash("pending"), "", 200, `"stage":"pending"`},
		{"GET", "/tx/" + hash("included"), "", 200, `"block":{"height":3,"slot":9`},
		{"GET", "/tx/" + hash("refused"), "", 200, `"reason":"poor"`},
		{"GET", "/tx/" + hash("nobody's"), "", 404, "is unknown here"},
		{"GET", "/tx/abc", "", 400, "hash of 3 digits"},
		{"GET", "/tx/" + strings.Repeat("g", 64), "", 400, "hash"},
		{"GET", "/account/" + address, "", 200, `"balance":7,"next_nonce":2`},
		{"GET", "/account/" + address[:len(address)-1], "", 400, "not an address"},
		{"GET", "/account/" + strings.Replace(address, "coin1", "coin2", 1), "", 400, "not an address"},
		{"GET", "/metrics", "", 200, "synod_height 4"},
		{"GET", "/debug/scopes", "", 200, "scope node0"},
		{"GET", "/nothing", "", 404, ""},
		{"POST", "/status", "", 405, ""},
		{"GET", "/tx", "", 405, ""},
		{"PUT", "/tx", "ok", 405, ""},
		{"POST", "/events", "", 405, ""},
	} {
		status, answer := ask(newFake(), tc.method, tc.target, tc.body)
		require.Equal(t, tc.status, status, tc.method+" "+tc.target)
		require.Contains(t, answer, tc.want, tc.target)
	}
}

// TestRefusedLeavesNoTrace: only a 202 has been taken.
func TestRefusedLeavesNoTrace(t *testing.T) {
	f := newFake()
	for _, body := range []string{"", "bad", "ok" + strings.Repeat("x", TxBytesMax)} {
		status, _ := ask(f, "POST", "/tx", body)
		require.NotEqual(t, 202, status)
	}
	f.full = true
	status, answer := ask(f, "POST", "/tx", "ok")
	require.Equal(t, 503, status)
	require.Contains(t, answer, "no room")
	taken, err := stm.Query(t.Context(), f.taken.Get)
	require.NoError(t, err)
	require.Zero(t, taken)

	f.down = errors.New("the store has failed")
	status, answer = ask(f, "GET", "/chain", "")
	require.Equal(t, 503, status)
	require.Contains(t, answer, "the store has failed")
}

// TestFields fixes the names that scripts read.
func TestFields(t *testing.T) {
	names := func(v any) (out []string) {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		var fields map[string]any
		require.NoError(t, json.Unmarshal(text, &fields))
		for name := range fields {
			out = append(out, name)
		}
		return out
	}
	require.ElementsMatch(t, []string{"name", "pid", "peer_id", "genesis", "height", "tip", "slot", "peers", "rollbacks", "violations",
		"forged", "root", "mempool"}, names(Status{URL: "http://x"}))
	require.ElementsMatch(t, []string{"height", "slot", "hash", "prev", "body_bytes", "transfers"}, names(Block{}))
	require.ElementsMatch(t, []string{"hash", "from", "to", "amount", "fee", "nonce"}, names(Transfer{}))
	require.ElementsMatch(t, []string{"hash", "stage", "block", "reason"}, names(Tx{Block: &Place{}, Reason: "x"}))
	require.ElementsMatch(t, []string{"address", "balance", "next_nonce"}, names(Account{}))
}
