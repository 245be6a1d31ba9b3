package home

import (
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/p2p/libp2p"
)

// TestConfigs fixes what init writes: scripts and people read it.
func TestConfigs(t *testing.T) {
	for _, tc := range []struct {
		name  string
		hosts []string
		tr    string
		want  []string // listen and http of each node, and its dialled addresses without peer ids
	}{
		{"one machine", nil, "", []string{
			"/ip4/127.0.0.1/tcp/7600 127.0.0.1:7700 /ip4/127.0.0.1/tcp/7601",
			"/ip4/127.0.0.1/tcp/7601 127.0.0.1:7701 /ip4/127.0.0.1/tcp/7600",
		}},
		{"quic", nil, quic, []string{
			"/ip4/127.0.0.1/udp/7600/quic-v1 127.0.0.1:7700 /ip4/127.0.0.1/udp/7601/quic-v1",
			"/ip4/127.0.0.1/udp/7601/quic-v1 127.0.0.1:7701 /ip4/127.0.0.1/udp/7600/quic-v1",
		}},
		{"machines", []string{"10.0.0.7", "node.example.org"}, "", []string{
			"/ip4/0.0.0.0/tcp/7600 127.0.0.1:7700 /dns4/node.example.org/tcp/7600",
			"/ip4/0.0.0.0/tcp/7600 127.0.0.1:7700 /ip4/10.0.0.7/tcp/7600",
		}},
		{"loopback", []string{"127.0.0.1", "::1"}, "", []string{
			"/ip4/127.0.0.1/tcp/7600 127.0.0.1:7700 /ip6/::1/tcp/7600",
			"/ip6/::1/tcp/7600 127.0.0.1:7700 /ip4/127.0.0.1/tcp/7600",
		}},
		{"two on one machine", []string{"fd00::1", "fd00::1"}, "", []string{
			"/ip6/::/tcp/7600 127.0.0.1:7700 /ip6/fd00::1/tcp/7601",
			"/ip6/::/tcp/7601 127.0.0.1:7701 /ip6/fd00::1/tcp/7600",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			p := params(2)
			p.Hosts, p.Transport = tc.hosts, tc.tr
			h, err := Create(dir, p)
			require.NoError(t, err)
			for i, want := range tc.want {
				n, err := LoadNode(h.NodeDir(i))
				require.NoError(t, err)
				require.Equal(t, h.Nodes[i], n.Keys)
				require.Equal(t, filepath.Join(h.NodeDir(i), "db"), n.Store())
				require.Len(t, n.Config.Peers, 1)
				peer, id, _ := strings.Cut(n.Config.Peers[0], "/p2p/")
				require.Equal(t, want, n.Config.Listen+" "+n.Config.HTTP+" "+peer)
				require.Equal(t, PeerID(h.Nodes[1-i].Host.Public()), id)
			}
		})
	}
}

// TestNeighbours: they are mutual, few, and connect all.
func TestNeighbours(t *testing.T) {
	for n := 1; n <= NodesMax; n++ {
		reached, todo := map[int]bool{0: true}, []int{0}
		for len(todo) > 0 {
			i := todo[0]
			todo = todo[1:]
			require.LessOrEqual(t, len(neighbours(i, n)), 7)
			for _, j := range neighbours(i, n) {
				require.Contains(t, neighbours(j, n), i)
				if !reached[j] {
					reached[j] = true
					todo = append(todo, j)
				}
			}
		}
		require.Len(t, reached, n)
	}
}

// TestPeerID: our spelling is libp2p's, and nothing else passes.
func TestPeerID(t *testing.T) {
	for i := range 50 {
		key := sign.KeyFromSeed([32]byte{byte(i)})
		id := PeerID(key.Public())
		require.NoError(t, checkPeerID(id))
		require.Error(t, checkPeerID(id[:len(id)-1]))
		require.Error(t, checkPeerID(id+"1"))
		require.Error(t, checkPeerID("1"+id))
	}
	seed := sign.KeyFromSeed([32]byte{1}).Seed()
	h, err := libp2p.NewHost(libp2p.HostConfig{Key: ed25519.NewKeyFromSeed(seed[:]), Listen: "none"})
	require.NoError(t, err)
	defer h.Close()
	require.Equal(t, h.ID().String(), PeerID(sign.KeyFromSeed([32]byte{1}).Public()))
}

// TestLies: each lie of a configuration is refused, naming its field.
func TestLies(t *testing.T) {
	lies := map[string]struct {
		change func(c, other conf)
		plant  func(t *testing.T, dir string)
		field  string
		want   string
	}{
		"no name":            {change: func(c, _ conf) { c.Name = "" }, field: "name"},
		"a path for a name":  {change: func(c, _ conf) { c.Name = "../x" }, field: "name"},
		"another genesis":    {change: func(c, _ conf) { c.Genesis[0]++ }, field: "genesis", want: "but genesis.cbor has"},
		"unlisted leader":    {change: func(c, _ conf) { c.Leader = strings.Repeat("0", 64) }, field: "leader", want: "not a key of the genesis"},
		"another's leader":   {change: func(c, o conf) { c.Leader = o.Leader }, field: "leader_key", want: "leader.key holds the key"},
		"no leader key":      {change: func(c, _ conf) { c.LeaderKey = "nothing.key" }, field: "leader_key", want: "no such file"},
		"a folder for a key": {change: func(c, _ conf) { c.LeaderKey = "" }, field: "leader_key", want: "not a file"},
		"wrong key":          {plant: writing(LeaderFile, otherSeed, 0o600), field: "leader_key"},
		"open key":           {plant: writing(LeaderFile, otherSeed, 0o644), field: "leader_key", want: "others may read it"},
		"garbage key":        {plant: writing(HostFile, "secret", 0o600), field: "host_key", want: "not a key"},
		"wrong host key":     {plant: writing(HostFile, otherSeed, 0o600), field: "host_key", want: "but peer_id is"},
		"another's peer id":  {change: func(c, o conf) { c.PeerID = o.PeerID }, field: "host_key"},
		"unknown transport":  {change: func(c, _ conf) { c.Transport = "smoke" }, field: "transport", want: `"smoke" is unknown`},
		"other transport":    {change: func(c, _ conf) { c.Transport = quic }, field: "listen", want: "is a tcp address, but the transport is quic"},
		"no multiaddress":    {change: func(c, _ conf) { c.Listen = "127.0.0.1:7600" }, field: "listen", want: "is not a multiaddress"},
		"bad port":           {change: func(c, _ conf) { c.Listen = "/ip4/127.0.0.1/tcp/70000" }, field: "listen", want: "has no port"},
		"bad ip":             {change: func(c, _ conf) { c.Listen = "/ip4/127.0.0.300/tcp/1" }, field: "listen", want: "is not an ip4 address"},
		"relay":              {change: func(c, _ conf) { c.Listen += "/p2p-circuit" }, field: "listen", want: "has more than"},
		"listen with id":     {change: func(c, _ conf) { c.Listen += "/p2p/" + c.PeerID }, field: "listen", want: "for those who dial"},
		"http without port":  {change: func(c, _ conf) { c.HTTP = "127.0.0.1" }, field: "http"},
		"http port":          {change: func(c, _ conf) { c.HTTP = "127.0.0.1:http" }, field: "http"},
		"http is listen":     {change: func(c, _ conf) { c.HTTP = "127.0.0.1:7600" }, field: "http", want: "in listen too"},
		"peer is http":       {change: func(c, _ conf) { c.Peers[0] = "http://x" }, field: "peers[0]"},
		"peer without id":    {change: func(c, _ conf) { c.Peers[0] = "/ip4/127.0.0.1/tcp/1" }, field: "peers[0]", want: "has no /p2p/"},
		"peer with bad id":   {change: func(c, _ conf) { c.Peers[1] += "x" }, field: "peers[1]", want: "is not the peer id"},
		"peer without port":  {change: func(c, o conf) { c.Peers[0] = "/ip4/127.0.0.1/tcp/0/p2p/" + o.PeerID }, field: "peers[0]", want: "no port to dial"},
		"own id":             {change: func(c, _ conf) { c.Peers[1] = "/ip4/127.0.0.1/tcp/1/p2p/" + c.PeerID }, field: "peers[1]", want: "own peer id"},
		"own address":        {change: func(c, o conf) { c.Peers[0] = c.Listen + "/p2p/" + o.PeerID }, field: "peers[0]", want: "own address"},
		"duplicate address":  {change: func(c, o conf) { c.Peers[1] = o.Listen + "/p2p/" + c.Peers[1][len(c.Peers[1])-52:] }, field: "peers[1]", want: "twice"},
		"one address spelled twice": {change: func(c, o conf) {
			c.Peers = []string{"/ip6/::1/tcp/1/p2p/" + o.PeerID, "/ip6/0:0::1/tcp/01/p2p/" + c.Peers[1][len(c.Peers[1])-52:]}
		}, field: "peers[1]", want: "twice"},
		"duplicate peer":       {change: func(c, _ conf) { c.Peers = append(c.Peers, c.Peers[0]) }, field: "peers[2]", want: "twice"},
		"a peer at two places": {change: func(c, o conf) { c.Peers[1] = "/ip4/127.0.0.1/tcp/1/p2p/" + o.PeerID }, field: "peers[1]", want: "twice"},
		"too many peers":       {change: func(c, _ conf) { c.Peers = make([]string, 65) }, field: "peers", want: "at most 64"},
	}
	whole := t.TempDir()
	_, err := Create(whole, params(3))
	require.NoError(t, err)
	for name, tc := range lies {
		t.Run(name, func(t *testing.T) {
			dir := copied(t, whole)
			n, err := LoadNode(filepath.Join(dir, "node0"))
			require.NoError(t, err)
			other, err := LoadNode(filepath.Join(dir, "node1"))
			require.NoError(t, err)
			if tc.change != nil {
				tc.change(&n.Config, &other.Config)
				text, err := json.Marshal(n.Config)
				require.NoError(t, err)
				writing(ConfigFile, string(text), 0o644)(t, n.Dir)
			} else {
				tc.plant(t, n.Dir)
			}
			_, err = LoadNode(n.Dir)
			require.ErrorIs(t, err, ErrConfig)
			var lie *ConfigError
			require.ErrorAs(t, err, &lie)
			require.Equal(t, tc.field, lie.Field, err)
			require.ErrorContains(t, err, tc.want)
			require.ErrorContains(t, err, filepath.Join(n.Dir, ConfigFile)+": "+tc.field)
			require.NotContains(t, err.Error(), "secret")
		})
	}
}

type conf = *NodeConfig

// TestNotAConfig: what is no configuration at all is refused with the place.
func TestNotAConfig(t *testing.T) {
	for want, text := range map[string]string{
		`unknown field "pears"`:      `{"pears": []}`,
		"something follows":          `{} {}`,
		"unexpected EOF":             `{"name": "no`,
		"cannot unmarshal":           `{"peers": "one"}`,
		"hash of 2 digits":           `{"genesis": "ab"}`,
		"65537 bytes, at most 65536": strings.Repeat(" ", 65537),
	} {
		h, err := Create(t.TempDir(), params(1))
		require.NoError(t, err)
		writing(ConfigFile, text, 0o644)(t, h.NodeDir(0))
		_, err = LoadNode(h.NodeDir(0))
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, ConfigFile)
	}
	_, err := LoadNode(t.TempDir())
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestFolderOfAnotherNetwork: a genesis put in a node's folder is noticed, and so is a store that is gone.
func TestFolderOfAnotherNetwork(t *testing.T) {
	a, err := Create(t.TempDir(), params(1))
	require.NoError(t, err)
	b, err := New(params(1))
	require.NoError(t, err)
	writing(GenesisFile, string(b.Genesis.Bytes()), 0o644)(t, a.NodeDir(0))
	_, err = LoadNode(a.NodeDir(0))
	require.ErrorIs(t, err, ErrConfig)
	require.ErrorContains(t, err, "genesis: ")

	writing(GenesisFile, string(a.Genesis.Bytes()), 0o644)(t, a.NodeDir(0))
	removing("db")(t, a.NodeDir(0))
	_, err = LoadNode(a.NodeDir(0))
	require.ErrorContains(t, err, "the record of the slots that its key has signed")
}

func TestOverride(t *testing.T) {
	h, err := Create(t.TempDir(), params(2))
	require.NoError(t, err)
	n, err := LoadNode(h.NodeDir(0))
	require.NoError(t, err)
	o, err := n.Override(NodeConfig{
		Transport: quic, Listen: "/ip4/127.0.0.1/udp/0/quic-v1", HTTP: "127.0.0.1:0",
		Peers: []string{"/dns4/far/udp/1/quic-v1/p2p/" + PeerID(h.Nodes[1].Host.Public())},
	})
	require.NoError(t, err)
	require.Equal(t, "/ip4/127.0.0.1/udp/0/quic-v1", o.Config.Listen)
	same, err := n.Override(NodeConfig{})
	require.NoError(t, err)
	require.Equal(t, n, same)
	_, err = n.Override(NodeConfig{Peers: []string{"/dns4/far/tcp/1"}})
	require.ErrorContains(t, err, "command line: peers[0]")
}

// FuzzEndpoint: nothing panics, and what passes is one libp2p can use.
func FuzzEndpoint(f *testing.F) {
	id := PeerID(sign.KeyFromSeed([32]byte{1}).Public())
	f.Add("/ip4/127.0.0.1/tcp/0")
	f.Add("/dns4/a.b-c/udp/1/quic-v1/p2p/" + id)
	f.Add("/ip6/::1/tcp/65535/p2p/" + id)
	f.Fuzz(func(t *testing.T, s string) {
		e, err := parseEndpoint(s)
		if err != nil {
			return
		}
		require.Contains(t, []string{tcp, quic}, e.transport)
		if e.peer != "" {
			require.NoError(t, checkPeerID(e.peer))
		}
	})
}

// FuzzConfig: no text of a configuration panics.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"name":"a","transport":"tcp","listen":"/ip4/127.0.0.1/tcp/1","http":":0","peers":["/"]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var c NodeConfig
		if decodeStrict(raw, &c) == nil {
			_, _ = c.checkAddresses()
		}
	})
}
