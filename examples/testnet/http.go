package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	headerBytesMax = 16 << 10
	requestMax     = 10 * time.Second // to read a request, to answer it
	idleMax        = 30 * time.Second
	blocksMax      = 1000
	blocksDefault  = 100
)

// source is what the HTTP server asks of a node.
type source interface {
	view(ctx context.Context) (view, error)
	// blocks lists at most limit blocks of the selected chain from block number from on.
	blocks(ctx context.Context, from uint64, limit int) ([]blockView, error)
	// dump writes the tree of the node's scopes.
	dump(w io.Writer) error
}

// blockView is a block in the answer of /chain.
type blockView struct {
	Height    uint64 `json:"height"`
	Slot      uint64 `json:"slot"`
	Hash      string `json:"hash"`
	Prev      string `json:"prev"`
	BodyBytes int    `json:"body_bytes"`
	Note      string `json:"note"`
}

// newHandler answers for one node. Metrics is the Prometheus handler of the node's own registry.
func newHandler(src source, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		v, err := src.view(r.Context())
		reply(w, v, err)
	})
	mux.HandleFunc("GET /chain", func(w http.ResponseWriter, r *http.Request) {
		from, limit, err := span(r)
		if err != nil {
			refuse(w, http.StatusBadRequest, err)
			return
		}
		blocks, err := src.blocks(r.Context(), from, limit)
		if blocks == nil {
			blocks = []blockView{}
		}
		reply(w, map[string]any{"from": from, "blocks": blocks}, err)
	})
	mux.HandleFunc("GET /debug/scopes", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_ = src.dump(w) // the client's connection is all that can fail
	})
	mux.Handle("GET /metrics", metrics)
	return http.MaxBytesHandler(mux, 0)
}

// span reads and checks the query of /chain.
func span(r *http.Request) (from uint64, limit int, err error) {
	from, limit = 1, blocksDefault
	for key, values := range r.URL.Query() {
		if key != "from" && key != "limit" {
			return 0, 0, fmt.Errorf("unknown parameter %q: want from and limit", key)
		}
		if len(values) > 1 {
			return 0, 0, fmt.Errorf("%s: given %d times", key, len(values))
		}
		n, err := strconv.ParseUint(values[0], 10, 63)
		if err != nil {
			return 0, 0, fmt.Errorf("%s=%q: want a number", key, values[0])
		}
		switch {
		case key == "from" && n == 0:
			return 0, 0, errors.New("from=0: want a block number of 1 or more")
		case key == "limit" && (n == 0 || n > blocksMax):
			return 0, 0, fmt.Errorf("limit=%d: want 1 to %d", n, blocksMax)
		case key == "from":
			from = n
		default:
			limit = int(n)
		}
	}
	return from, limit, nil
}

func reply(w http.ResponseWriter, body any, err error) {
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the client's connection is all that can fail
}

func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
}

// newServer sets the limits: a client may not hold a connection by saying nothing, nor memory by saying much.
func newServer(ctx context.Context, handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: requestMax,
		ReadTimeout:       requestMax,
		WriteTimeout:      requestMax,
		IdleTimeout:       idleMax,
		MaxHeaderBytes:    headerBytesMax,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
}
