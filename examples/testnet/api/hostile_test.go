package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/stm"
)

// speak opens a raw connection and says something.
func speak(t *testing.T, address, text string) net.Conn {
	c, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	_, err = io.WriteString(c, text)
	require.NoError(t, err)
	return c
}

func answerTo(t *testing.T, c net.Conn) *http.Response {
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	return res
}

// TestHostileRequests: what is too long is refused before it is read, and what never ends holds nobody else up.
func TestHostileRequests(t *testing.T) {
	f := newFake()
	c, address, _ := serve(t, f)
	huge := speak(t, address, "POST /tx HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\nok")
	stuck := speak(t, address, "POST /tx HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nok")
	speak(t, address, "GET /status HT")
	speak(t, address, "")
	long := speak(t, address, "GET /status HTTP/1.1\r\nX: "+strings.Repeat("x", 2*headerBytesMax))
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, answerTo(t, long).StatusCode)
	endless := speak(t, address, "POST /tx HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n11000\r\nok"+strings.Repeat("x", 0x10ffe))
	require.Equal(t, http.StatusRequestEntityTooLarge, answerTo(t, endless).StatusCode)
	require.Equal(t, http.StatusRequestEntityTooLarge, answerTo(t, huge).StatusCode)

	_, err := c.Submit(t.Context(), []byte("ok"))
	require.NoError(t, err)
	require.NoError(t, stuck.Close())
	taken, err := stm.Query(t.Context(), f.taken.Get)
	require.NoError(t, err)
	require.Equal(t, 1, taken, "half a transfer is none")
}

// TestSubscribersBounded: as many as the limit are served, one more is refused, and whoever leaves makes room.
func TestSubscribersBounded(t *testing.T) {
	f := newFake()
	c, address, _ := serve(t, f)
	var all []net.Conn
	for range subscribersMax {
		sub := speak(t, address, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
		require.Equal(t, http.StatusOK, answerTo(t, sub).StatusCode)
		all = append(all, sub)
	}
	next := func() error {
		for _, err := range c.Events(t.Context()) {
			return err
		}
		return nil
	}
	var refused *StatusError
	require.ErrorAs(t, next(), &refused)
	require.Equal(t, http.StatusServiceUnavailable, refused.Status)
	require.Contains(t, refused.Reason, "64 such requests are under way already")
	_, err := c.Status(t.Context())
	require.NoError(t, err, "others are served")

	require.NoError(t, all[0].Close())
	for next() != nil { // until the server has noticed
	}
}

// endless is a server that does one hostile thing whatever it is asked.
func endless(t *testing.T, f http.HandlerFunc) *Client {
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	c, err := NewClient(s.URL)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// TestHostileServers: a client bounds what it reads and tells what was wrong with it.
func TestHostileServers(t *testing.T) {
	status := func(c *Client) error { _, err := c.Status(t.Context()); return err }
	events := func(c *Client) error {
		for _, err := range c.Events(t.Context()) {
			if err != nil {
				return err
			}
		}
		return nil
	}
	flood := func(head string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, head)
			for piece := strings.Repeat("x", 1<<16); ; {
				if _, err := io.WriteString(w, piece); err != nil {
					return
				}
			}
		}
	}
	for _, tc := range []struct {
		name string
		does http.HandlerFunc
		ask  func(*Client) error
		want string
	}{
		{"endless answer", flood(""), status, "an answer of more than 16777216 bytes"},
		{"garbage", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }, status, "/status: not the answer of a node"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, status, "(HTTP 302)"},
		{"reason of control characters", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			fmt.Fprintf(w, `{"error":"\u001b[2Jgone\n%s"}`, strings.Repeat("x", 5000))
		}, status, "[2Jgonexxx"},
		{"no reason", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, status, "Internal Server Error (HTTP 500)"},
		{"endless line", flood("data: "), events, "token too long"},
		{"garbage event", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "data: 7\n\n") }, events, "not the event of a node"},
		{"no events", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, ": nothing\n\n") }, events, ErrEnded.Error()},
		{"cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "data: {}\n\n")
		}, events, ErrEnded.Error()},
		{"events refused", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, events, "(HTTP 503)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := tc.ask(endless(t, tc.does))
			require.ErrorContains(t, err, tc.want)
			require.Less(t, len(err.Error()), 1000)
			require.NotContains(t, err.Error(), "\x1b")
		})
	}
}

// TestSilentServer: a context ends a call to a server that says nothing.
func TestSilentServer(t *testing.T) {
	asked := make(chan struct{}, 2)
	c := endless(t, func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	})
	why := errors.New("enough")
	for _, call := range []func(ctx context.Context) error{
		func(ctx context.Context) error { _, err := c.Status(ctx); return err },
		func(ctx context.Context) error {
			for _, err := range c.Events(ctx) {
				return err
			}
			return nil
		},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() { <-asked; cancel(why) }()
		require.ErrorIs(t, call(ctx), why)
	}
}

func TestNewClient(t *testing.T) {
	for _, bad := range []string{"", "127.0.0.1:7700", "ftp://x", "http://", "http://x?y=1", "http://x#y", "http://x\n", "/status"} {
		_, err := NewClient(bad)
		require.ErrorContains(t, err, "is not the URL of a node", bad)
	}
	c, err := NewClient("http://127.0.0.1:1/")
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Status(t.Context())
	require.Error(t, err)
}
