package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
)

const (
	eventWriteMax = 10 * time.Second
	eventPause    = 20 * time.Millisecond // between two events: changes that come faster share one
)

// events writes the node's status at once and after each change, until the client or the node is gone. The limit on writing
// the whole answer is replaced by one on each event.
func (h *handler) events(w http.ResponseWriter, r *http.Request) {
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	for s, err := range stm.Watch(r.Context(), h.node.Status) {
		if err != nil {
			return
		}
		text, err := json.Marshal(s)
		if err != nil {
			return
		}
		_ = out.SetWriteDeadline(env.Now(r.Context()).Add(eventWriteMax))
		if _, err := fmt.Fprintf(w, "data: %s\n\n", text); err != nil || out.Flush() != nil {
			return
		}
		if env.Sleep(r.Context(), eventPause) != nil {
			return
		}
	}
}
