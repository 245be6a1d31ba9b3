package p2p

import (
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/stm"
)

// Stream is one ordered, reliable byte stream to a peer. One goroutine reads and writes; not reading is the back-pressure.
// Package p2p/p2ptest holds the conformance suite that every implementation passes.
type Stream interface {
	// Read returns at least one byte or an error: io.EOF after the peer's CloseWrite and all before it, *ResetError,
	// os.ErrDeadlineExceeded, or an error that wraps ErrGone.
	Read(p []byte) (int, error)
	// Write blocks while the peer's window is full; on an error it says how many bytes were taken.
	Write(p []byte) (int, error)
	// SetReadDeadline bounds reads, also one that is blocked now, by t in the world's time; the zero time is none. A deadline that
	// has passed lets a later one be set.
	SetReadDeadline(t time.Time) error
	// SetWriteDeadline is the same for writes.
	SetWriteDeadline(t time.Time) error
	// CloseWrite says that nothing more will be written; the peer reads all that was, then io.EOF. It does not wait.
	CloseWrite() error
	// Reset ends both directions at once, at both ends, and frees the stream. What the peer has not read is lost. Any
	// goroutine, idempotent (the first code counts), does not block. Once both directions have ended it only frees.
	Reset(code Code)
	// Watch makes Gone report also this stream's end, from now to the next Read, whatever read deadline passes meanwhile. Cheap,
	// idempotent; called by the reading goroutine. What it may read is kept for the next Read.
	Watch()
	// Gone is nil while the connection (and, once watched, the stream) lives; else ErrGone, *ResetError or io.EOF. A
	// transaction that read nil reruns when that changes, so that the peer's end joins any wait.
	Gone(tx *stm.Tx) error
}

// Prober is what a Stream may offer besides: a way to tell a peer that keeps silent from one that is not there any more. A Session asks it when a time
// limit has passed, before it blames the peer.
type Prober interface {
	// Probe is nil if the peer's end of the connection answers now. Otherwise it gives up the connection, and the error says how it
	// ended. It takes a few seconds at most, and ends with the stream.
	Probe() error
}

// Code says to the peer why a stream or a connection was ended by force. It arrives at best effort.
type Code uint32

// The codes that sessions use. Other values are free for transports; 0 says nothing.
const (
	CodeViolation  Code = 0x1004 // the peer broke the protocol
	CodeSupplanted Code = 0x1005 // a newer session of the same peer and protocol has taken over
	CodeShutdown   Code = 0x1007 // we are ending, through no fault of the peer
)

// String is the code's name, or its number.
func (c Code) String() string {
	switch c {
	case CodeViolation:
		return "violation"
	case CodeSupplanted:
		return "supplanted"
	case CodeShutdown:
		return "shutdown"
	}
	return fmt.Sprintf("code %#x", uint32(c))
}

// ErrGone says that the connection to the peer is lost.
var ErrGone = errors.New("p2p: the connection is gone")

// ResetError says that a stream was reset: by the peer (Remote) or on this side.
type ResetError struct {
	Code   Code
	Remote bool
}

// Error names the side and the code.
func (e *ResetError) Error() string {
	side := "by us"
	if e.Remote {
		side = "by the peer"
	}
	return fmt.Sprintf("p2p: stream reset %s: %v", side, e.Code)
}
