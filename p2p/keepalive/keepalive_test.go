package keepalive

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry/registrytest"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

func samples() []table.Message {
	return []table.Message{&MsgPing{Cookie: 7}, &MsgPong{Cookie: 700}, &MsgDone{}}
}

func TestGolden(t *testing.T) {
	for i, want := range []string{"00000003008107", "0000000501811902bc", "0000000102"} {
		require.Equal(t, want, hex.EncodeToString(p2ptest.FrameOf(samples()[i])))
	}
}

func TestHostile(t *testing.T) { p2ptest.HostileSuite(t, Protocol(), samples()...) }

func FuzzMessages(f *testing.F) {
	for _, m := range samples() {
		f.Add(m.Tag(), p2ptest.FrameOf(m)[5:])
	}
	f.Fuzz(func(t *testing.T, tag byte, body []byte) {
		for _, spec := range Protocol().Messages {
			if spec.Tag == tag {
				require.NoError(t, p2ptest.Canonical(spec.New(), body))
			}
		}
	})
}
