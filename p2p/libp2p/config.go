package libp2p

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/synodkit/synod/p2p"
)

// Config says what a Network offers and whom it refuses. Only Protocols has no default.
type Config struct {
	// Protocols are the full identifiers ("/synod/chainsync/1") of the inbound streams that Accept gives out.
	Protocols []string
	// QueueMax bounds the inbound streams that wait for Accept; 0 is 256.
	QueueMax int
	// QueuePeerMax bounds those of one peer, so that a flood starves its sender alone; 0 is 16.
	QueuePeerMax int
	// Refuse says whom not to talk to; nil refuses nobody. It must not block. Give NewHost the same function: its gater
	// refuses earlier. A peer that comes to be refused while connected is closed by Disconnect, not by this.
	Refuse func(p2p.PeerID) bool
}

func (c Config) withDefaults() (Config, error) {
	for _, p := range c.Protocols {
		if err := checkProtocol(p); err != nil {
			return c, fmt.Errorf("libp2p: Config.Protocols: %w", err)
		}
	}
	if c.QueueMax < 0 || c.QueuePeerMax < 0 {
		return c, errors.New("libp2p: Config.QueueMax and QueuePeerMax must not be negative")
	}
	if c.QueueMax == 0 {
		c.QueueMax = 256
	}
	if c.QueuePeerMax == 0 {
		c.QueuePeerMax = min(16, c.QueueMax)
	}
	if c.Refuse == nil {
		c.Refuse = func(p2p.PeerID) bool { return false }
	}
	return c, nil
}

// protocolBytesMax keeps an identifier well below multistream-select's 1024.
const protocolBytesMax = 200

func checkProtocol(p string) error {
	if !strings.HasPrefix(p, "/") || len(p) < 2 || len(p) > protocolBytesMax {
		return fmt.Errorf("protocol %.40q: want \"/...\" of 2 to %d bytes: %w", p, protocolBytesMax, ErrProtocol)
	}
	for i := range len(p) {
		if p[i] <= ' ' || p[i] > '~' {
			return fmt.Errorf("protocol %.40q: byte %#x: %w", p, p[i], ErrProtocol)
		}
	}
	return nil
}

// Transport is how a host made by NewHost reaches others.
type Transport string

// The transports of NewHost. TCP is secured by TLS or Noise and multiplexed by yamux; QUIC brings its own.
const (
	TCP  Transport = "tcp"
	QUIC Transport = "quic"
)

// HostConfig describes a host for NewHost. Only Key has no default.
type HostConfig struct {
	// Key is the host's identity; the peer id follows from it.
	Key ed25519.PrivateKey
	// Transport is TCP if empty.
	Transport Transport
	// Listen is the multiaddress to listen on; empty is an ephemeral port on 127.0.0.1. "none" does not listen.
	Listen string
	// Announce are the multiaddresses, without a peer id, under which others reach the host: what Network.Addrs and libp2p's identify tell, in this
	// order. Empty: those listened on; in place of all interfaces (0.0.0.0, ::) their addresses, those that lead further first.
	Announce []string
	// PeersMax sizes the limits on connections and streams; 0 is 64.
	PeersMax int
	// StreamsPeerMax bounds the streams of one peer in each direction; 0 is 32.
	StreamsPeerMax int
	// DialTimeout bounds one dial with its handshakes; 0 is 10 s.
	DialTimeout time.Duration
	// NegotiateTimeout bounds how long an inbound TCP connection may take for its handshakes, and an inbound stream to choose
	// its protocol; 0 is 10 s.
	NegotiateTimeout time.Duration
	// Refuse says whom not to talk to: such a peer is not dialled, and dropped as soon as it has proven who it is. nil
	// refuses nobody. It must not block.
	Refuse func(p2p.PeerID) bool
}

func (c HostConfig) withDefaults() (HostConfig, error) {
	if len(c.Key) != ed25519.PrivateKeySize {
		return c, fmt.Errorf("libp2p: HostConfig.Key: %d bytes, want an ed25519 private key of %d", len(c.Key), ed25519.PrivateKeySize)
	}
	if c.PeersMax < 0 || c.StreamsPeerMax < 0 {
		return c, errors.New("libp2p: HostConfig.PeersMax and StreamsPeerMax must not be negative")
	}
	if _, err := c.announced(); err != nil {
		return c, err
	}
	if c.DialTimeout < 0 || c.NegotiateTimeout < 0 {
		return c, errors.New("libp2p: HostConfig.DialTimeout and NegotiateTimeout must not be negative")
	}
	listen := map[Transport]string{TCP: "/ip4/127.0.0.1/tcp/0", QUIC: "/ip4/127.0.0.1/udp/0/quic-v1"}
	if c.Transport == "" {
		c.Transport = TCP
	}
	if listen[c.Transport] == "" {
		return c, fmt.Errorf("libp2p: HostConfig.Transport: %q is neither %q nor %q", c.Transport, TCP, QUIC)
	}
	if c.Listen == "" {
		c.Listen = listen[c.Transport]
	}
	if c.PeersMax == 0 {
		c.PeersMax = 64
	}
	if c.StreamsPeerMax == 0 {
		c.StreamsPeerMax = 32
	}
	if c.DialTimeout == 0 {
		c.DialTimeout = 10 * time.Second
	}
	if c.NegotiateTimeout == 0 {
		c.NegotiateTimeout = 10 * time.Second
	}
	if c.Refuse == nil {
		c.Refuse = func(p2p.PeerID) bool { return false }
	}
	return c, nil
}
