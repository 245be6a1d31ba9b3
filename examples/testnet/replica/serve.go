package replica

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/registry"
)

const (
	lastWords = 500 * time.Millisecond // how long answers under way may take when the node ends
	connsMax  = 512                    // of HTTP; more wait in the system's backlog until one is closed
)

// listen opens the HTTP socket.
func listen(s *registry.Scope, address string) (net.Listener, error) {
	h, err := registry.Acquire(s, "http listener", func(ctx context.Context) (net.Listener, error) {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		return &bounded{Listener: l, free: make(chan struct{}, connsMax), closed: make(chan struct{})}, nil
	}, func(_ context.Context, l net.Listener) error {
		_ = l.Close() // the server has closed it, if it ran
		return nil
	})
	if err != nil {
		return nil, err
	}
	return h.Value(), nil
}

// serve runs an HTTP server in the scope, until that is cancelled. Requests end first, those that wait for events among them.
func serve(s *registry.Scope, l net.Listener, handler http.Handler) {
	s.Go("http", func(ctx context.Context) error {
		server := api.NewServer(ctx, handler)
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("accept", func(context.Context) error {
				if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
					return err
				}
				return nil
			})
			<-ctx.Done() // also if there was no time to accept: then nobody else would end the server
			last, cancel := env.WithTimeout(env.WithoutCancel(ctx), lastWords)
			defer cancel()
			if err := server.Shutdown(last); err != nil {
				_ = server.Close() // a client that does not end its request is cut off
			}
			return context.Cause(ctx)
		})
	})
}

// bounded is a listener with so many open connections at most.
type bounded struct {
	net.Listener
	free   chan struct{}
	once   sync.Once
	closed chan struct{}
}

// Accept waits for a place, then for a connection.
func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.free <- struct{}{}:
	case <-b.closed:
		return nil, net.ErrClosed
	}
	c, err := b.Listener.Accept()
	if err != nil {
		<-b.free
		return nil, err
	}
	return &placed{Conn: c, leave: sync.OnceFunc(func() { <-b.free })}, nil
}

// Close also ends an Accept that waits for a place.
func (b *bounded) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Listener.Close()
}

// placed is a connection that gives its place back.
type placed struct {
	net.Conn
	leave func()
}

// Close may be called twice.
func (c *placed) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
