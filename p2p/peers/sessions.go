package peers

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/stm"
)

// Key names a session: at most one is open for each.
type Key struct {
	Peer     p2p.PeerID
	Protocol string       // the full identifier
	Role     table.Agency // ours
}

// Sessions is the set of open sessions.
type Sessions struct {
	open *stm.Var[map[Key]p2p.Stream] // immutable maps
}

// NewSessions is the empty set.
func NewSessions() *Sessions {
	return &Sessions{stm.NewVar[map[Key]p2p.Stream](nil).Label("peers.sessions")}
}

// Enter puts a session's stream into the set. If one with the same key is there, it is supplanted: reset with p2p.CodeSupplanted, while
// its owner may still be running. leave takes the session out, unless it was supplanted; call it when the session has ended.
func (x *Sessions) Enter(ctx context.Context, key Key, s p2p.Stream) (leave func()) {
	shielded := env.WithoutCancel(ctx) // nothing here waits, and a session that ends must leave
	old, _ := stm.Query(shielded, func(tx *stm.Tx) p2p.Stream {
		open := x.open.Get(tx)
		next := maps.Clone(open)
		if next == nil {
			next = map[Key]p2p.Stream{}
		}
		next[key] = s
		x.open.Set(tx, next)
		return open[key]
	})
	if old != nil {
		old.Reset(p2p.CodeSupplanted)
	}
	return func() {
		_ = stm.Do(shielded, func(tx *stm.Tx) error {
			if open := x.open.Get(tx); open[key] == s {
				next := maps.Clone(open)
				delete(next, key)
				x.open.Set(tx, next)
			}
			return nil
		})
	}
}

// Open lists the sessions, sorted by peer, protocol and role.
func (x *Sessions) Open(tx *stm.Tx) []Key {
	return slices.SortedFunc(maps.Keys(x.open.Get(tx)), func(a, b Key) int {
		if c := strings.Compare(string(a.Peer), string(b.Peer)); c != 0 {
			return c
		}
		if c := strings.Compare(a.Protocol, b.Protocol); c != 0 {
			return c
		}
		return int(a.Role) - int(b.Role)
	})
}
