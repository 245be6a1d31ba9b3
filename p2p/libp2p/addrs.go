package libp2p

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Addrs are the addresses that other nodes can give to Connect, the best first.
func (n *Network) Addrs() []string {
	addrs := []string{}
	for _, a := range n.host.Addrs() {
		addrs = append(addrs, a.String()+"/p2p/"+n.host.ID().String())
	}
	return addrs
}

// announced is Announce, parsed.
func (c HostConfig) announced() ([]ma.Multiaddr, error) {
	var addrs []ma.Multiaddr
	for _, s := range c.Announce {
		a, err := ma.NewMultiaddr(s)
		if err != nil {
			return nil, fmt.Errorf("libp2p: HostConfig.Announce: %q: %w", s, err)
		}
		if _, err := a.ValueForProtocol(ma.P_P2P); err == nil {
			return nil, fmt.Errorf("libp2p: HostConfig.Announce: %s: without a peer id", s)
		}
		if manet.IsIPUnspecified(a) {
			return nil, fmt.Errorf("libp2p: HostConfig.Announce: %s: nobody can dial that", s)
		}
		addrs = append(addrs, a)
	}
	return addrs, nil
}

// addrs says what the host tells of itself. The basic host asks it anew each time, which spares it the watch over the machine's addresses.
func (b *builder) addrs(sw *swarm.Swarm) func([]ma.Multiaddr) []ma.Multiaddr {
	announced, _ := b.cfg.announced() // checked by withDefaults
	return func([]ma.Multiaddr) []ma.Multiaddr {
		if len(announced) > 0 {
			return slices.Clone(announced)
		}
		addrs, err := sw.InterfaceListenAddresses() // libp2p looks at the interfaces once a minute at most
		if err != nil {
			addrs = sw.ListenAddresses()
		}
		addrs = slices.DeleteFunc(addrs, func(a ma.Multiaddr) bool { return manet.IsIPUnspecified(a) || manet.IsIP6LinkLocal(a) })
		slices.SortStableFunc(addrs, func(a, b ma.Multiaddr) int { return cmp.Or(reach(b)-reach(a), a.Compare(b)) })
		return addrs
	}
}

// reach is greater for an address that leads further.
func reach(a ma.Multiaddr) int {
	switch {
	case manet.IsPublicAddr(a):
		return 2
	case !manet.IsIPLoopback(a):
		return 1
	}
	return 0
}
