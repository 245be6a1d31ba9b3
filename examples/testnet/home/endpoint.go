package home

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// endpoint is a multiaddress of the kinds that a node's transport speaks.
type endpoint struct {
	kind, host string // ip4, ip6, dns, dns4 or dns6
	transport  string
	port       int
	peer       string // its id, if there is one
}

// base is the address without the peer id, in its one spelling.
func (e endpoint) base() string {
	return fmt.Sprintf("/%s/%s/%s/%d", e.kind, e.host, e.transport, e.port)
}

// parseEndpoint reads a multiaddress; nothing that a node's transport could not dial or listen on passes.
func parseEndpoint(s string) (endpoint, error) {
	parts := strings.Split(s, "/")
	if len(parts) < 5 || parts[0] != "" {
		return endpoint{}, fmt.Errorf("%.200q is not a multiaddress such as /ip4/127.0.0.1/tcp/7600", s)
	}
	e := endpoint{kind: parts[1], host: strings.ToLower(parts[2])}
	if err := checkKind(e.kind, e.host); err != nil {
		return e, err
	}
	if ip, err := netip.ParseAddr(e.host); err == nil {
		e.host = ip.String()
	}
	port, err := strconv.ParseUint(parts[4], 10, 16)
	if err != nil {
		return e, fmt.Errorf("%.200q has no port of 0 to %d", s, portMax)
	}
	e.port = int(port)
	rest := parts[5:]
	switch {
	case parts[3] == "tcp":
		e.transport = tcp
	case parts[3] == "udp" && len(rest) > 0 && rest[0] == "quic-v1":
		e.transport, rest = quic, rest[1:]
	default:
		return e, fmt.Errorf("%.200q is neither a tcp nor a udp/quic-v1 address", s)
	}
	switch {
	case len(rest) == 0:
		return e, nil
	case len(rest) == 2 && rest[0] == "p2p":
		e.peer = rest[1]
		return e, checkPeerID(e.peer)
	}
	return e, fmt.Errorf("%.200q has more than an address and a peer id", s)
}

func checkKind(kind, host string) error {
	ip, err := netip.ParseAddr(host)
	switch kind {
	case "ip4", "ip6":
		if err != nil || ip.Zone() != "" || ip.Is4() != (kind == "ip4") {
			return fmt.Errorf("%.200q is not an %s address", host, kind)
		}
		return nil
	case "dns", "dns4", "dns6":
		return checkHost(host)
	}
	return fmt.Errorf("%.200q is not ip4, ip6, dns, dns4 or dns6", kind)
}

// checkHost accepts an IP address without a zone, or a DNS name.
func checkHost(host string) error {
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.Zone() != "" {
			return fmt.Errorf("%.200q has a zone", host)
		}
		return nil
	}
	if host == "" || len(host) > 253 {
		return fmt.Errorf("%.200q is not a host name", host)
	}
	for label := range strings.SplitSeq(host, ".") {
		bad := strings.ContainsFunc(label, func(c rune) bool {
			return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_'
		})
		if label == "" || len(label) > 63 || bad || label[0] == '-' {
			return fmt.Errorf("%.200q is not a host name", host)
		}
	}
	return nil
}
