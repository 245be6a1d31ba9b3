package home

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// Transports of a configuration.
const (
	tcp  = "tcp"
	quic = "quic"
)

const (
	p2pPort  = 7600
	httpPort = 7700
	portMax  = 65535
	meshMax  = 8 // above so many nodes not everybody keeps connected to everybody
	local    = "127.0.0.1"
)

// completeAddresses fills in and checks what configurations are made of.
func (p *Params) completeAddresses() error {
	if p.Transport == "" {
		p.Transport = tcp
	}
	if p.P2PPort == 0 {
		p.P2PPort = p2pPort
	}
	if p.HTTPPort == 0 {
		p.HTTPPort = httpPort
	}
	switch {
	case p.Transport != tcp && p.Transport != quic:
		return fmt.Errorf("home: Params.Transport is %q, want %s or %s", p.Transport, tcp, quic)
	case len(p.Hosts) != 0 && len(p.Hosts) != p.Nodes:
		return fmt.Errorf("home: Params.Hosts are %d, want one for each of %d nodes", len(p.Hosts), p.Nodes)
	case p.P2PPort < 1 || p.P2PPort+p.Nodes-1 > portMax:
		return fmt.Errorf("home: Params.P2PPort is %d, want 1 to %d", p.P2PPort, portMax-p.Nodes+1)
	case p.HTTPPort < 1 || p.HTTPPort+p.Nodes-1 > portMax:
		return fmt.Errorf("home: Params.HTTPPort is %d, want 1 to %d", p.HTTPPort, portMax-p.Nodes+1)
	case p.P2PPort < p.HTTPPort+p.Nodes && p.HTTPPort < p.P2PPort+p.Nodes && p.Transport == tcp:
		return fmt.Errorf("home: Params.HTTPPort %d and P2PPort %d: the ports of %d nodes overlap", p.HTTPPort, p.P2PPort, p.Nodes)
	}
	for _, host := range p.Hosts {
		if err := checkHost(host); err != nil {
			return fmt.Errorf("home: Params.Hosts: %w", err)
		}
	}
	return nil
}

// host is where node i runs, and how many nodes before it run there too.
func (p Params) host(i int) (host string, before int) {
	if len(p.Hosts) == 0 {
		return local, i
	}
	for _, h := range p.Hosts[:i] {
		if h == p.Hosts[i] {
			before++
		}
	}
	return p.Hosts[i], before
}

// address is where node i can be dialled, without its peer id.
func (p Params) address(i int) string {
	host, before := p.host(i)
	return multiaddress(host, p.Transport, p.P2PPort+before)
}

// configOf is the configuration of node i. With Hosts it listens on all interfaces, since which one leads to its host name is not known here, unless that is a
// loopback address; HTTP stays on loopback all the same.
func (p Params) configOf(h Home, i int) NodeConfig {
	c := NodeConfig{Name: nodeName(i), Transport: p.Transport}
	host, before := p.host(i)
	c.Listen = multiaddress(interfaces(host), p.Transport, p.P2PPort+before)
	c.HTTP = net.JoinHostPort(local, strconv.Itoa(p.HTTPPort+before))
	for _, j := range neighbours(i, p.Nodes) {
		c.Peers = append(c.Peers, p.address(j)+"/p2p/"+PeerID(h.Nodes[j].Host.Public()))
	}
	return c
}

// interfaces is what a node at a host listens on.
func interfaces(host string) string {
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil && ip.IsLoopback():
		return host
	case err == nil && ip.Is6():
		return "::"
	}
	return "0.0.0.0"
}

// neighbours are the nodes that node i keeps connected to, whoever dials first: all, or those next to it and across on a ring.
func neighbours(i, n int) []int {
	var out []int
	for j := range n {
		apart := min((i-j+n)%n, (j-i+n)%n)
		if j != i && (n <= meshMax || apart <= 2 || apart == n/2) {
			out = append(out, j)
		}
	}
	return out
}

func multiaddress(host, transport string, port int) string {
	kind := "dns4"
	if ip, err := netip.ParseAddr(host); err == nil {
		if kind = "ip4"; ip.Is6() {
			kind = "ip6"
		}
	}
	if transport == quic {
		return fmt.Sprintf("/%s/%s/udp/%d/quic-v1", kind, host, port)
	}
	return fmt.Sprintf("/%s/%s/tcp/%d", kind, host, port)
}
