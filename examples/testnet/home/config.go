package home

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	"github.com/synodkit/synod/chain"
)

// NodeConfig is a node's config.json. Unknown fields are refused.
type NodeConfig struct {
	Name      string     `json:"name"`
	Genesis   chain.Hash `json:"genesis"`    // hash of genesis.cbor
	Leader    string     `json:"leader"`     // public key that the genesis lists, 64 hexadecimal digits
	LeaderKey string     `json:"leader_key"` // its file, from the node's folder
	PeerID    string     `json:"peer_id"`    // the name that others dial
	HostKey   string     `json:"host_key"`   // its file, from the node's folder
	Transport string     `json:"transport"`  // tcp or quic
	Listen    string     `json:"listen"`     // multiaddress of the libp2p host
	HTTP      string     `json:"http"`       // host:port
	Peers     []string   `json:"peers"`      // multiaddresses with peer ids, to keep connected to
}

// ErrConfig says that a node's configuration is not true or not valid; the error is a [ConfigError].
var ErrConfig = errors.New("home: a configuration that lies")

// ConfigError names the field of a configuration that is not true or not valid. It unwraps to [ErrConfig].
type ConfigError struct{ File, Field, Problem string }

// Error names file, field and problem.
func (e *ConfigError) Error() string { return fmt.Sprintf("%s: %s: %s", e.File, e.Field, e.Problem) }

// Unwrap is ErrConfig.
func (e *ConfigError) Unwrap() error { return ErrConfig }

const peersMax = 64

// checkAddresses names the first field that cannot be, of those that no other file is needed for.
func (c NodeConfig) checkAddresses() (field string, err error) {
	if err := CheckName(c.Name); err != nil {
		return "name", err
	}
	if c.Transport != tcp && c.Transport != quic {
		return "transport", fmt.Errorf("%.80q is unknown: want %s or %s", c.Transport, tcp, quic)
	}
	listen, err := c.endpoint(c.Listen)
	switch {
	case err != nil:
		return "listen", err
	case listen.peer != "":
		return "listen", fmt.Errorf("%.200q has a peer id, which is for those who dial", c.Listen)
	}
	if err := c.checkHTTP(listen); err != nil {
		return "http", err
	}
	if len(c.Peers) > peersMax {
		return "peers", fmt.Errorf("are %d, at most %d", len(c.Peers), peersMax)
	}
	seen := map[string]string{}
	for i, p := range c.Peers {
		if err := c.checkPeer(p, listen, seen); err != nil {
			return fmt.Sprintf("peers[%d]", i), err
		}
	}
	return "", nil
}

// endpoint reads an address of the node's transport.
func (c NodeConfig) endpoint(s string) (endpoint, error) {
	e, err := parseEndpoint(s)
	if err == nil && e.transport != c.Transport {
		err = fmt.Errorf("%.200q is a %s address, but the transport is %s", s, e.transport, c.Transport)
	}
	return e, err
}

func (c NodeConfig) checkHTTP(listen endpoint) error {
	host, text, err := net.SplitHostPort(c.HTTP)
	if err != nil {
		return fmt.Errorf("%.200q is not host:port", c.HTTP)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || host != "" && checkHost(host) != nil {
		return fmt.Errorf("%.200q is not host:port", c.HTTP)
	}
	if listen.transport == tcp && port != 0 && int(port) == listen.port && host == listen.host {
		return fmt.Errorf("%.200q is the address in listen too", c.HTTP)
	}
	return nil
}

// checkPeer refuses this node's own address and one that is there already, by id or by place. Seen holds those before it.
func (c NodeConfig) checkPeer(s string, listen endpoint, seen map[string]string) error {
	e, err := c.endpoint(s)
	switch {
	case err != nil:
		return err
	case e.peer == "":
		return fmt.Errorf("%.200q has no /p2p/<peer id>", s)
	case e.port == 0:
		return fmt.Errorf("%.200q has no port to dial", s)
	case e.peer == c.PeerID:
		return fmt.Errorf("%.200q has this node's own peer id", s)
	case e.base() == listen.base():
		return fmt.Errorf("%.200q is this node's own address", s)
	}
	for _, key := range []string{e.base(), e.peer} {
		if before, twice := seen[key]; twice {
			return fmt.Errorf("%.200q names a peer twice: %.200q is there already", s, before)
		}
		seen[key] = s
	}
	return nil
}

// keyPath is the file that a field names.
func keyPath(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}
