package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/examples/coin"
)

const (
	answerBytesMax = 16 << 20
	headerMax      = 15 * time.Second // until an answer begins; a context may be shorter
	idleConnsMax   = 64
)

// Client asks one node. Made by [NewClient]; Close ends its idle connections.
type Client struct {
	base string
	http *http.Client
}

// NewClient asks the node at a base such as http://127.0.0.1:7700. It follows no redirects and uses no proxy.
func NewClient(base string) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("api: %.200q is not the URL of a node, such as http://127.0.0.1:7700", base)
	}
	return &Client{base: strings.TrimRight(u.String(), "/"), http: &http.Client{
		Transport: &http.Transport{
			ResponseHeaderTimeout: headerMax, MaxIdleConnsPerHost: idleConnsMax, IdleConnTimeout: idleMax / 2, MaxResponseHeaderBytes: headerBytesMax,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close ends the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// StatusError is an answer other than the one asked for.
type StatusError struct {
	Status int // of HTTP
	Reason string
}

// Error is the node's reason.
func (e *StatusError) Error() string { return fmt.Sprintf("%s (HTTP %d)", e.Reason, e.Status) }

// Status is the node's status.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	err = c.do(ctx, http.MethodGet, "/status", nil, &s)
	return s, err
}

// Chain lists blocks from a number on; fewer than limit if the list is long or the chain ends.
func (c *Client) Chain(ctx context.Context, from uint64, limit int) ([]Block, error) {
	var b Blocks
	err := c.do(ctx, http.MethodGet, fmt.Sprintf("/chain?from=%d&limit=%d", from, limit), nil, &b)
	return b.Blocks, err
}

// Submit hands in a transfer. Without an error it is durable there.
func (c *Client) Submit(ctx context.Context, raw []byte) (chain.Hash, error) {
	var r Receipt
	err := c.do(ctx, http.MethodPost, "/tx", raw, &r)
	return r.Hash, err
}

// Tx asks for a transfer. One that the node does not know is Unknown, and no error.
func (c *Client) Tx(ctx context.Context, id chain.Hash) (Tx, error) {
	t := Tx{Hash: id}
	err := c.do(ctx, http.MethodGet, "/tx/"+id.String(), nil, &t)
	if answer := (*StatusError)(nil); errors.As(err, &answer) && answer.Status == http.StatusNotFound {
		return Tx{Hash: id, Stage: Unknown}, nil
	}
	return t, err
}

// Account asks for an account.
func (c *Client) Account(ctx context.Context, address coin.Address) (a Account, err error) {
	err = c.do(ctx, http.MethodGet, "/account/"+address.String(), nil, &a)
	return a, err
}

// do sends a request and decodes the answer.
func (c *Client) do(ctx context.Context, method, path string, body []byte, into any) error {
	res, err := c.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, answerBytesMax+1))
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", c.base, err)
	case len(raw) > answerBytesMax:
		return fmt.Errorf("%s: an answer of more than %d bytes", c.base, answerBytesMax)
	case res.StatusCode != http.StatusOK && res.StatusCode != http.StatusAccepted:
		return reason(res.StatusCode, raw)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s%s: not the answer of a node: %w", c.base, path, err)
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return c.http.Do(req)
}

// reason is the one in an answer, printable and short: it comes from whoever answers at that address.
func reason(status int, raw []byte) error {
	var answer struct{ Error string }
	if json.Unmarshal(raw, &answer) != nil || answer.Error == "" {
		answer.Error = http.StatusText(status)
	}
	return &StatusError{status, printable(answer.Error)}
}

const reasonMax = 500

func printable(s string) string {
	if len(s) > reasonMax {
		s = s[:reasonMax] + "..."
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, s)
}
