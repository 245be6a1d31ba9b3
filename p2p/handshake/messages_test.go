package handshake

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/protogen/gen"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry/registrytest"
)

func TestGenerated(t *testing.T) {
	files, err := gen.Files(Protocol(), gen.Config{Package: "handshake"})
	require.NoError(t, errors.Join(err, gen.Check(".", files)))
}

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

func samples() []table.Message {
	return []table.Message{
		&MsgPropose{Network: "test", Genesis: chain.HashOf([]byte("g")), Versions: []uint16{1, 300}},
		&MsgAccept{Version: 300},
		&MsgRefuse{Field: FieldGenesis, Value: "00ff"},
	}
}

func TestGolden(t *testing.T) {
	want := []string{
		"0000002e00836474657374" + "5820" + chain.HashOf([]byte("g")).String() + "820119012c",
		"000000050181" + "19012c",
		"0000000802" + "82026430306666",
	}
	for i, m := range samples() {
		require.Equal(t, want[i], hex.EncodeToString(p2ptest.FrameOf(m)), "%T", m)
	}
}

func TestHostile(t *testing.T) { p2ptest.HostileSuite(t, Protocol(), samples()...) }

func FuzzMessages(f *testing.F) {
	for _, m := range samples() {
		b := p2ptest.FrameOf(m)
		f.Add(m.Tag(), b[5:])
	}
	f.Fuzz(func(t *testing.T, tag byte, body []byte) {
		for _, spec := range Protocol().Messages {
			if spec.Tag == tag {
				require.NoError(t, p2ptest.Canonical(spec.New(), body))
			}
		}
	})
}

func TestParseRefuses(t *testing.T) {
	for name, m := range map[string]table.Message{
		"no network":        &MsgPropose{Versions: []uint16{1}},
		"long network":      &MsgPropose{Network: string(make([]byte, 65)), Versions: []uint16{1}},
		"no version":        &MsgPropose{Network: "n"},
		"many versions":     &MsgPropose{Network: "n", Versions: make([]uint16, 33)},
		"unsorted versions": &MsgPropose{Network: "n", Versions: []uint16{2, 1}},
		"doubled version":   &MsgPropose{Network: "n", Versions: []uint16{1, 1}},
		"field 0":           &MsgRefuse{},
		"field 4":           &MsgRefuse{Field: 4},
		"long value":        &MsgRefuse{Field: 1, Value: string(make([]byte, 257))},
	} {
		body, err := m.AppendTo(nil)
		require.NoError(t, err)
		require.Error(t, Protocol().Find(from(m), m.Tag()).New().ParseFrom(body), name)
	}
}

func from(m table.Message) table.StateID {
	if m.Tag() == 0 {
		return StatePropose
	}
	return StateConfirm
}
