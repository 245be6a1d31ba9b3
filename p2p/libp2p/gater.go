package libp2p

import (
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/synodkit/synod/p2p"
)

// gater keeps refused peers out: they are not dialled, and dropped once they have proven who they are.
type gater struct{ refuse func(p2p.PeerID) bool }

var _ connmgr.ConnectionGater = gater{}

func (g gater) allow(id peer.ID) bool { return !g.refuse(p2p.PeerID(id.String())) }

// InterceptPeerDial implements connmgr.ConnectionGater.
func (g gater) InterceptPeerDial(id peer.ID) bool { return g.allow(id) }

// InterceptAddrDial implements connmgr.ConnectionGater.
func (g gater) InterceptAddrDial(peer.ID, ma.Multiaddr) bool { return true }

// InterceptAccept implements connmgr.ConnectionGater: nobody is known yet.
func (g gater) InterceptAccept(network.ConnMultiaddrs) bool { return true }

// InterceptSecured implements connmgr.ConnectionGater.
func (g gater) InterceptSecured(_ network.Direction, id peer.ID, _ network.ConnMultiaddrs) bool {
	return g.allow(id)
}

// InterceptUpgraded implements connmgr.ConnectionGater.
func (g gater) InterceptUpgraded(c network.Conn) (bool, control.DisconnectReason) {
	return g.allow(c.RemotePeer()), 0
}
