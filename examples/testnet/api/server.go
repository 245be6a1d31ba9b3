package api

import (
	"context"
	"net"
	"net/http"
	"time"
)

const (
	headerBytesMax = 16 << 10
	requestMax     = 10 * time.Second // to read a request
	answerMax      = 20 * time.Second // to read and answer it
	idleMax        = 30 * time.Second
)

// NewServer sets the limits: a client may not hold a connection by saying nothing, nor memory by saying much. Requests end with ctx.
func NewServer(ctx context.Context, handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: requestMax,
		ReadTimeout:       requestMax,
		WriteTimeout:      answerMax,
		IdleTimeout:       idleMax,
		MaxHeaderBytes:    headerBytesMax,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
}
