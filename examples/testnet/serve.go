package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/synodkit/synod/registry"
)

// lastWords is how long requests under way may take when the node ends.
const lastWords = 500 * time.Millisecond

// serve runs an HTTP server in the scope, until that is cancelled.
func serve(s *registry.Scope, l net.Listener, server *http.Server) {
	s.Go("http", func(context.Context) error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	s.Go("http end", func(ctx context.Context) error {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
		defer cancel()
		if err := server.Shutdown(last); err != nil {
			_ = server.Close() // a client that does not end its request is cut off
		}
		return ctx.Err()
	})
}
