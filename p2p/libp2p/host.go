package libp2p

import (
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	basichost "github.com/libp2p/go-libp2p/p2p/host/basic"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/host/peerstore/pstoremem"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
)

// NewHost builds the testnet's host. It must be closed.
func NewHost(cfg HostConfig) (host.Host, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	key, err := crypto.UnmarshalEd25519PrivateKey(cfg.Key)
	if err != nil {
		return nil, fmt.Errorf("libp2p: HostConfig.Key: %w", err)
	}
	b := &builder{cfg: cfg, key: key}
	h, err := b.build()
	if err != nil {
		for i := len(b.undo) - 1; i >= 0; i-- {
			_ = b.undo[i]() // the first error is the one to tell
		}
		return nil, err
	}
	return h, nil
}

// builder holds what must be closed again if a later part fails.
type builder struct {
	cfg    HostConfig
	key    crypto.PrivKey
	id     peer.ID
	limits network.ResourceManager
	undo   []func() error
}

func (b *builder) build() (host.Host, error) {
	var err error
	if b.id, err = peer.IDFromPrivateKey(b.key); err != nil {
		return nil, fmt.Errorf("libp2p: HostConfig.Key: %w", err)
	}
	if b.limits, err = newLimits(b.cfg); err != nil {
		return nil, err
	}
	b.undo = append(b.undo, b.limits.Close)
	bus := eventbus.NewBus()
	sw, err := b.swarm(bus)
	if err != nil {
		return nil, err
	}
	addrs := b.addrs(sw)
	h, err := basichost.NewHost(sw, &basichost.HostOpts{
		EventBus: bus, UserAgent: "synod", ProtocolVersion: "synod/1", DisableSignedPeerRecord: true,
		NegotiationTimeout: b.cfg.NegotiateTimeout, AddrsFactory: addrs,
	})
	if err != nil {
		return nil, fmt.Errorf("libp2p: host: %w", err)
	}
	own := &ownHost{BasicHost: h, addrs: addrs}
	b.undo = []func() error{own.Close} // closes all the parts
	if b.cfg.Transport == QUIC {
		own.conns, err = b.addQUIC(sw)
	} else {
		err = b.addTCP(sw)
	}
	if err != nil {
		return nil, fmt.Errorf("libp2p: transport %s: %w", b.cfg.Transport, err)
	}
	if b.cfg.Listen != "none" {
		if err := listen(sw, b.cfg.Listen); err != nil {
			return nil, err
		}
	}
	if err := own.start(bus); err != nil { // last: identify tells the addresses
		return nil, err
	}
	return own, nil
}

func (b *builder) swarm(bus event.Bus) (*swarm.Swarm, error) {
	store, err := pstoremem.NewPeerstore()
	if err != nil {
		return nil, fmt.Errorf("libp2p: peerstore: %w", err)
	}
	b.undo = append(b.undo, store.Close)
	err = errors.Join(store.AddPrivKey(b.id, b.key), store.AddPubKey(b.id, b.key.GetPublic()))
	if err != nil {
		return nil, fmt.Errorf("libp2p: peerstore: %w", err)
	}
	sw, err := swarm.NewSwarm(b.id, store, bus,
		swarm.WithConnectionGater(gater{b.cfg.Refuse}), swarm.WithResourceManager(b.limits),
		swarm.WithDialTimeout(b.cfg.DialTimeout), swarm.WithDialTimeoutLocal(b.cfg.DialTimeout),
		swarm.WithUDPBlackHoleSuccessCounter(nil), swarm.WithIPv6BlackHoleSuccessCounter(nil))
	if err != nil {
		return nil, fmt.Errorf("libp2p: swarm: %w", err)
	}
	b.undo = append(b.undo, sw.Close)
	return sw, nil
}
