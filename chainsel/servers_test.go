package chainsel_test

import (
	"github.com/synodkit/synod/chainsel"
	"github.com/synodkit/synod/p2p/blockfetch"
	"github.com/synodkit/synod/p2p/chainsync"
)

// The servers' interfaces are theirs; that we meet them is checked here, since neither side imports the other.
var (
	_ chainsync.Follower = (*chainsel.Follower)(nil)
	_ blockfetch.Source  = (*chainsel.Chain[string])(nil)
)
