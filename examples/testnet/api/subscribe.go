package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
)

const eventBytesMax = 64 << 10

// ErrEnded says that a node has ended its events: it is going down.
var ErrEnded = errors.New("api: the node has ended its events")

// Events yields the node's status at once and after each change; what changes while the loop is busy is skipped but for the newest. It ends with
// the loop, or with an error: the context's, ErrEnded, or what is wrong with the answer.
func (c *Client) Events(ctx context.Context) iter.Seq2[Status, error] {
	return func(yield func(Status, error) bool) {
		res, err := c.send(ctx, http.MethodGet, "/events", nil)
		if err != nil {
			yield(Status{}, err)
			return
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			raw, _ := io.ReadAll(io.LimitReader(res.Body, eventBytesMax)) // the status says enough
			yield(Status{}, reason(res.StatusCode, raw))
			return
		}
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, eventBytesMax)
		for lines.Scan() {
			text, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
			if !ok {
				continue
			}
			var s Status
			if err := json.Unmarshal(text, &s); err != nil {
				yield(Status{}, fmt.Errorf("%s/events: not the event of a node: %w", c.base, err))
				return
			}
			if !yield(s, nil) {
				return
			}
		}
		yield(Status{}, c.ended(ctx, lines.Err()))
	}
}

// ended is why the events ended.
func (c *Client) ended(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil || errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: %w", c.base, ErrEnded)
	}
	return fmt.Errorf("%s/events: %w", c.base, err)
}
