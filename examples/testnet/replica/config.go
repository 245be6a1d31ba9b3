package replica

import (
	"errors"
	"log/slog"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/examples/testnet/home"
	"github.com/synodkit/synod/mempool"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/libp2p"
)

// K is the depth below which a testnet's blocks are final.
const K = 2160

// Config describes a replica. Name, Genesis and Keys.Host have no default.
type Config struct {
	Name    string
	Genesis chain.Genesis
	Keys    home.Keys // without a leader's key the node follows only

	Dir       string                // of the store; empty keeps it in memory
	Listen    string                // multiaddress; empty is any port of 127.0.0.1
	HTTP      string                // host:port; empty is any port of 127.0.0.1
	Transport libp2p.Transport      // TCP if empty
	Refuse    func(p2p.PeerID) bool // whom not to talk to, beside those that the peer ledger refuses; must not block; nil refuses nobody

	Log slog.Handler // of the node's events; nil is off

	depth  int            // K, which tests shorten
	listed int            // api.TransfersMax, which tests lower
	limits mempool.Limits // tests lower them
}

func (c Config) complete() (Config, error) {
	switch {
	case c.Name == "":
		return c, errors.New("replica: Config.Name is missing")
	case c.Keys.Host.IsZero():
		return c, errors.New("replica: Config.Keys.Host is missing")
	}
	if c.HTTP == "" {
		c.HTTP = "127.0.0.1:0"
	}
	if c.listed == 0 {
		c.listed = api.TransfersMax
	}
	if c.depth == 0 {
		c.depth = K
	}
	if c.Refuse == nil {
		c.Refuse = func(p2p.PeerID) bool { return false }
	}
	return c, c.Genesis.Validate()
}
