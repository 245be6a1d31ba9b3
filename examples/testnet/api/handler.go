package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
)

// Node is what the handler asks of a node.
type Node interface {
	Status(tx *stm.Tx) Status
	// Blocks lists at most limit blocks of the selected chain from a number on.
	Blocks(ctx context.Context, from uint64, limit int) ([]Block, error)
	// Submit returns once the transfer is durable. An *InvalidError is the transfer's fault, any other the node's.
	Submit(ctx context.Context, raw []byte) (chain.Hash, error)
	Tx(tx *stm.Tx, id chain.Hash) Tx
	Account(tx *stm.Tx, a coin.Address) Account
}

// InvalidError says that a transfer is not valid, and why.
type InvalidError struct{ Reason error }

// Error is the reason.
func (e *InvalidError) Error() string { return e.Reason.Error() }

// Unwrap is the reason.
func (e *InvalidError) Unwrap() error { return e.Reason }

// Extra are the handlers that know nothing of the types here.
type Extra struct {
	Metrics http.Handler
	Scopes  func(w io.Writer) error
}

const (
	requestsMax    = 256
	listsMax       = 8
	subscribersMax = 64
)

// handler answers for a node.
type handler struct {
	node        Node
	requests    limit
	lists       limit
	subscribers limit
}

// NewHandler answers for one node.
func NewHandler(n Node, extra Extra) http.Handler {
	h := &handler{node: n, requests: newLimit(requestsMax), lists: newLimit(listsMax), subscribers: newLimit(subscribersMax)}
	mux := http.NewServeMux()
	handle := func(pattern string, bodyMax int64, f http.HandlerFunc) {
		mux.Handle(pattern, http.MaxBytesHandler(h.requests.guard(f), bodyMax))
	}
	handle("GET /status", 0, h.status)
	handle("GET /chain", 0, h.lists.guard(h.chain))
	handle("POST /tx", TxBytesMax, h.submit)
	handle("GET /tx/{hash}", 0, h.tx)
	handle("GET /account/{address}", 0, h.account)
	handle("GET /debug/scopes", 0, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_ = extra.Scopes(w) // the client's connection is all that can fail
	})
	handle("GET /metrics", 0, extra.Metrics.ServeHTTP)
	mux.Handle("GET /events", http.MaxBytesHandler(h.subscribers.guard(h.events), 0))
	return mux
}

// limit bounds how many requests of a kind are under way; one more is refused, not queued.
type limit struct {
	max  int
	free *gate.Semaphore
}

func newLimit(max int) limit { return limit{max, gate.NewSemaphore(max)} }

func (l limit) guard(f http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		entered, err := stm.Query(r.Context(), func(tx *stm.Tx) bool { return l.free.TryAcquire(tx, 1) })
		if err == nil && !entered {
			err = fmt.Errorf("%d such requests are under way already", l.max)
		}
		if err != nil {
			refuse(w, http.StatusServiceUnavailable, err)
			return
		}
		defer func() {
			_ = stm.Do(env.WithoutCancel(r.Context()), func(tx *stm.Tx) error { l.free.Release(tx, 1); return nil }) // cannot fail: it never waits
		}()
		f(w, r)
	}
}

func (h *handler) status(w http.ResponseWriter, r *http.Request) {
	s, err := stm.Query(r.Context(), h.node.Status)
	reply(w, http.StatusOK, s, err)
}

func (h *handler) submit(w http.ResponseWriter, r *http.Request) {
	var raw []byte
	var err error = &http.MaxBytesError{Limit: TxBytesMax}
	if r.ContentLength <= TxBytesMax { // -1 if the client does not say
		raw, err = io.ReadAll(r.Body)
	}
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Errorf("more than %d bytes", TxBytesMax))
		return
	case err != nil: // the client was too slow, or is gone
		refuse(w, http.StatusRequestTimeout, errors.New("the transfer did not come to its end"))
		return
	}
	id, err := h.node.Submit(r.Context(), raw)
	if invalid := (*InvalidError)(nil); errors.As(err, &invalid) {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	reply(w, http.StatusAccepted, Receipt{id}, err)
}

func (h *handler) tx(w http.ResponseWriter, r *http.Request) {
	var id chain.Hash
	if err := id.UnmarshalText([]byte(r.PathValue("hash"))); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	t, err := stm.Query(r.Context(), func(tx *stm.Tx) Tx { return h.node.Tx(tx, id) })
	if err == nil && t.Stage == Unknown {
		refuse(w, http.StatusNotFound, fmt.Errorf("%v is unknown here", id))
		return
	}
	reply(w, http.StatusOK, t, err)
}

func (h *handler) account(w http.ResponseWriter, r *http.Request) {
	address, err := coin.ParseAddress(r.PathValue("address"))
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	a, err := stm.Query(r.Context(), func(tx *stm.Tx) Account { return h.node.Account(tx, address) })
	reply(w, http.StatusOK, a, err)
}

// reply answers with a body, or with err: what the node cannot answer now it may answer later, or another node.
func reply(w http.ResponseWriter, status int, body any, err error) {
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client's connection is all that can fail
}

func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
}
