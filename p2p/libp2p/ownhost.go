package libp2p

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/libp2p/go-libp2p/core/event"
	basichost "github.com/libp2p/go-libp2p/p2p/host/basic"
	"github.com/libp2p/go-libp2p/p2p/host/pstoremanager"
	ma "github.com/multiformats/go-multiaddr"
)

// ownHost is libp2p's basic host, started in part: its watch over the machine's addresses, which looks every five seconds, is left out. What
// remains are identify, and the task that forgets what is known of peers that have left.
type ownHost struct {
	*basichost.BasicHost
	addrs  func([]ma.Multiaddr) []ma.Multiaddr
	forget io.Closer // nil before start
	conns  io.Closer // QUIC's sockets, which the basic host does not know of; nil for TCP
	closed sync.Once
	err    error
}

// Addrs implements host.Host: in our order, which the basic host would not keep.
func (h *ownHost) Addrs() []ma.Multiaddr { return h.addrs(nil) }

func (h *ownHost) start(bus event.Bus) error {
	m, err := pstoremanager.NewPeerstoreManager(h.Peerstore(), bus, h.Network())
	if err != nil {
		return fmt.Errorf("libp2p: peerstore: %w", err)
	}
	m.Start()
	h.forget = m
	h.IDService().Start()
	return nil
}

// Close implements host.Host. It may be called again.
func (h *ownHost) Close() error {
	h.closed.Do(func() {
		for _, c := range []io.Closer{h.forget, h.BasicHost, h.conns} {
			if c != nil {
				h.err = errors.Join(h.err, c.Close())
			}
		}
	})
	return h.err
}
