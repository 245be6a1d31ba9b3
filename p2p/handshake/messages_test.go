package handshake

import (
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
	p2ptest.Golden(t, samples(),
		"0000002e00836474657374"+"5820"+chain.HashOf([]byte("g")).String()+"820119012c",
		"000000050181"+"19012c",
		"0000000802"+"82026430306666",
	)
}

func TestHostile(t *testing.T) { p2ptest.HostileSuite(t, Protocol(), samples()...) }

func FuzzMessages(f *testing.F) {
	p2ptest.FuzzMessages(f, Protocol(), samples()...)
}

func TestParseRefuses(t *testing.T) {
	p2ptest.Refused(t, Protocol(), map[string]table.Message{
		"no network":        &MsgPropose{Versions: []uint16{1}},
		"long network":      &MsgPropose{Network: string(make([]byte, 65)), Versions: []uint16{1}},
		"no version":        &MsgPropose{Network: "n"},
		"many versions":     &MsgPropose{Network: "n", Versions: make([]uint16, 33)},
		"unsorted versions": &MsgPropose{Network: "n", Versions: []uint16{2, 1}},
		"doubled version":   &MsgPropose{Network: "n", Versions: []uint16{1, 1}},
		"field 0":           &MsgRefuse{},
		"field 4":           &MsgRefuse{Field: 4},
		"long value":        &MsgRefuse{Field: 1, Value: string(make([]byte, 257))},
	})
}
