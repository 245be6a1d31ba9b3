package node

import (
	"fmt"
	"log/slog"

	"github.com/synodkit/synod/p2p"
)

// PeerEventKind is what happened with a peer.
type PeerEventKind uint8

// The kinds.
const (
	Following  PeerEventKind = iota + 1 // our handshake was accepted; sessions start
	Ended                               // the sessions we opened have ended, with Err
	Mismatched                          // a handshake was refused: Err names both values
	Violated                            // the peer broke a protocol: Err is a *p2p.Violation
	Unreached                           // a dial failed; Peer is empty and Addr set
	Served                              // a session that the peer opened has ended, with Err or without
)

// String is the kind in one word.
func (k PeerEventKind) String() string {
	words := [...]string{"none", "following", "ended", "mismatched", "violated", "unreached", "served"}
	if int(k) < len(words) {
		return words[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// PeerEvent is something that happened with a peer, after it is true.
type PeerEvent struct {
	Kind     PeerEventKind
	Peer     p2p.PeerID
	Addr     string // of Unreached
	Protocol string // of Served
	Err      error
}

// String is the event as a line.
func (e PeerEvent) String() string {
	who := string(e.Peer) + e.Addr
	if e.Protocol != "" {
		who += " " + e.Protocol
	}
	if e.Err == nil {
		return fmt.Sprintf("%s: %v", who, e.Kind)
	}
	return fmt.Sprintf("%s: %v: %v", who, e.Kind, e.Err)
}

// Level is how much the event matters in a log: what peers do at any time is detail.
func (e PeerEvent) Level() slog.Level {
	switch e.Kind {
	case Violated:
		return slog.LevelError
	case Mismatched:
		return slog.LevelWarn
	case Following:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}
