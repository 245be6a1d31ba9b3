package blockfetch

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/protogen/gen"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry/registrytest"
)

func TestGenerated(t *testing.T) {
	files, err := gen.Files(Protocol(), gen.Config{Package: "blockfetch"})
	require.NoError(t, errors.Join(err, gen.Check(".", files)))
}

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

func samples() []table.Message {
	return []table.Message{
		&MsgRequestRange{From: chain.Point{Slot: 1}, To: chain.Point{Slot: 300}}, &MsgClientDone{},
		&MsgStartBatch{}, &MsgNoBlocks{}, &MsgBlock{Body: []byte("body")}, &MsgBatchDone{},
	}
}

func TestGolden(t *testing.T) {
	zeros := strings.Repeat("00", 32)
	p2ptest.Golden(t, samples(),
		"0000004c00"+"82"+"8201"+"5820"+zeros+"8219012c"+"5820"+zeros, "0000000101",
		"0000000102", "0000000103", "0000000704"+"8144"+hex.EncodeToString([]byte("body")), "0000000105",
	)
}

func TestHostile(t *testing.T) { p2ptest.HostileSuite(t, Protocol(), samples()...) }

func FuzzMessages(f *testing.F) {
	p2ptest.FuzzMessages(f, Protocol(), samples()...)
}

// The largest body fits the state's limit.
func TestLargestBlockFits(t *testing.T) {
	p2ptest.Fits(t, Protocol(), &MsgBlock{Body: make([]byte, chain.BodyBytesMax)}, StateStreaming)
}
