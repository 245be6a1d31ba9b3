package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

type fakeSource struct{ err error }

func (f fakeSource) view(context.Context) (view, error) { return twoNodes(4).views[0], f.err }
func (f fakeSource) dump(w io.Writer) error             { _, err := io.WriteString(w, "node0\n"); return err }
func (f fakeSource) blocks(_ context.Context, from uint64, limit int) ([]blockView, error) {
	return []blockView{{Height: from, Note: fmt.Sprint(limit)}}, f.err
}

func ask(src source, method, target string) (status int, body string) {
	w := httptest.NewRecorder()
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "synod_height 4\n") })
	newHandler(src, metrics).ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w.Code, w.Body.String()
}

func TestHTTP(t *testing.T) {
	for _, tc := range []struct {
		target string
		status int
		want   string
	}{
		{"/status", 200, `"height":4`},
		{"/chain", 200, `"note":"100"`},
		{"/chain?from=7&limit=1000", 200, `"height":7`},
		{"/chain?from=0", 400, "from=0: want a block number of 1 or more"},
		{"/chain?limit=0", 400, "limit=0: want 1 to 1000"},
		{"/chain?limit=1001", 400, "limit=1001: want 1 to 1000"},
		{"/chain?limit=-1", 400, `limit=\"-1\": want a number`},
		{"/chain?from=99999999999999999999", 400, "want a number"},
		{"/chain?from=x", 400, "want a number"},
		{"/chain?from=1&from=2", 400, "from: given 2 times"},
		{"/chain?form=1", 400, `unknown parameter \"form\"`},
		{"/metrics", 200, "synod_height 4"},
		{"/debug/scopes", 200, "node0"},
		{"/nothing", 404, ""},
	} {
		status, body := ask(fakeSource{}, "GET", tc.target)
		require.Equal(t, tc.status, status, tc.target)
		require.Contains(t, body, tc.want, tc.target)
	}
	status, _ := ask(fakeSource{}, "POST", "/status")
	require.Equal(t, 405, status)
	status, body := ask(fakeSource{errors.New("scope has ended")}, "GET", "/status")
	require.Equal(t, 503, status)
	require.Contains(t, body, "scope has ended")
}

// TestStatusFields fixes the names that scripts read.
func TestStatusFields(t *testing.T) {
	_, body := ask(fakeSource{}, "GET", "/status")
	var fields map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &fields))
	for _, name := range []string{"name", "peer_id", "height", "tip", "slot", "peers", "rollbacks", "violations", "forged", "root"} {
		require.Contains(t, fields, name)
	}
	require.Len(t, fields, 10)
}
