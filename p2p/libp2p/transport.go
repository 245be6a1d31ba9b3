package libp2p

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// windowMax bounds what one stream's sender may have in flight, and so what a reader that stopped reading holds.
const windowMax = 1 << 20

// measureEvery is how often yamux asks for the round trip time after the first time. It sizes windows by it, and that is all: its 30 s would wake an
// idle network more often than anything of ours.
const measureEvery = time.Hour

// addTCP: TLS is offered before Noise, it carries half as much again on hardware with AES. The listening socket is its own: with
// SO_REUSEPORT a port in use would go unnoticed.
func (b *builder) addTCP(sw *swarm.Swarm) error {
	mux := *yamux.DefaultTransport
	mux.MaxStreamWindowSize = windowMax
	mux.MaxIncomingStreams = uint32(2 * b.cfg.StreamsPeerMax) // above the resource manager's limit, which also answers with a code
	mux.MeasureRTTInterval = measureEvery
	muxers := []upgrader.StreamMuxer{{ID: yamux.ID, Muxer: &mux}}
	tls, err := libp2ptls.New(libp2ptls.ID, b.key, muxers)
	if err != nil {
		return err
	}
	xx, err := noise.New(noise.ID, b.key, muxers)
	if err != nil {
		return err
	}
	up, err := upgrader.New([]sec.SecureTransport{tls, xx}, muxers, nil, b.limits, gater{b.cfg.Refuse},
		upgrader.WithAcceptTimeout(b.cfg.NegotiateTimeout))
	if err != nil {
		return err
	}
	t, err := tcp.NewTCPTransport(up, b.limits, nil, tcp.DisableReuseport())
	if err != nil {
		return err
	}
	return sw.AddTransport(t)
}

// addQUIC gives what must be closed after the swarm. The two keys of QUIC's stateless tokens follow from the host's, as in libp2p.
func (b *builder) addQUIC(sw *swarm.Swarm) (io.Closer, error) {
	reset, err := b.derive("libp2p quic stateless reset key")
	if err != nil {
		return nil, err
	}
	token, err := b.derive("libp2p quic token generator key")
	if err != nil {
		return nil, err
	}
	conns, err := quicreuse.NewConnManager(reset, token)
	if err != nil {
		return nil, err
	}
	t, err := libp2pquic.NewTransport(b.key, conns, nil, gater{b.cfg.Refuse}, b.limits)
	if err == nil {
		err = sw.AddTransport(t)
	}
	return conns, err
}

func (b *builder) derive(info string) (key [32]byte, err error) {
	raw, err := b.key.Raw()
	if err != nil {
		return key, err
	}
	out, err := hkdf.Key(sha256.New, raw, nil, info, len(key))
	copy(key[:], out)
	return key, err
}

// listen names the port when it is in use.
func listen(sw *swarm.Swarm, addr string) error {
	a, err := ma.NewMultiaddr(addr)
	if err != nil {
		return fmt.Errorf("libp2p: HostConfig.Listen: %w", err)
	}
	err = sw.AddListenAddr(a)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		_, at, _ := manet.DialArgs(a)
		return fmt.Errorf("libp2p: HostConfig.Listen: %s is in use (%s): %w", at, addr, syscall.EADDRINUSE)
	case errors.Is(err, swarm.ErrNoTransport):
		return fmt.Errorf("libp2p: HostConfig.Listen: %s is not an address of the host's transport", addr)
	}
	return fmt.Errorf("libp2p: HostConfig.Listen: %s: %w", addr, err)
}
