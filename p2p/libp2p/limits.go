package libp2p

import (
	"fmt"

	"github.com/libp2p/go-libp2p/core/network"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
)

// newLimits sizes libp2p's resource manager for PeersMax peers. It is the last fence: p2p's own bounds are met first.
//
// Memory is counted in windows, as yamux reserves them: 256 KiB for each stream at once, more as its window grows.
// Growth stops at half of a limit, so that a peer's new streams always find room; a stream that did not would end its
// connection. Streams that have not yet chosen a protocol share the transient scope: it has room for eight peers that fill theirs.
func newLimits(cfg HostConfig) (network.ResourceManager, error) {
	const window = 256 << 10
	peers, streams := cfg.PeersMax, cfg.StreamsPeerMax
	peer := rcmgr.ResourceLimits{
		Conns: 4, ConnsInbound: 3, ConnsOutbound: 3, FD: 4, // one, and those that come and go with simultaneous dials
		Streams: val(2 * streams), StreamsInbound: val(streams), StreamsOutbound: val(streams),
		Memory: rcmgr.LimitVal64(4 * streams * window),
	}
	all := rcmgr.ResourceLimits{
		Conns: val(4 * peers), ConnsInbound: val(2 * peers), ConnsOutbound: val(2 * peers), FD: val(4 * peers),
		Streams: val(2 * peers * streams), StreamsInbound: val(peers * streams), StreamsOutbound: val(peers * streams),
		Memory: rcmgr.LimitVal64(peers) * peer.Memory,
	}
	transient := all
	transient.Conns, transient.ConnsInbound, transient.ConnsOutbound, transient.FD = val(peers), val(peers), val(peers), val(peers)
	transient.Streams, transient.StreamsInbound, transient.StreamsOutbound = val(16*streams), val(8*streams), val(8*streams)
	limits := rcmgr.PartialLimitConfig{System: all, Transient: transient, PeerDefault: peer}
	m, err := rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(limits.Build(rcmgr.InfiniteLimits)), rcmgr.WithMetricsDisabled())
	if err != nil {
		return nil, fmt.Errorf("libp2p: resource manager: %w", err)
	}
	return m, nil
}

func val(n int) rcmgr.LimitVal { return rcmgr.LimitVal(n) }
