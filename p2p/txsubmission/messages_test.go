package txsubmission

import (
	"encoding/hex"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry/registrytest"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

func samples() []table.Message {
	return []table.Message{
		&MsgAwaitIDs{Ack: 3, Max: 64}, &MsgRequestIDs{Ack: 32, Max: 1},
		&MsgReplyIDs{IDs: []Announced{{ID: chain.Hash{1}, Bytes: 300}}}, &MsgRequestTxs{IDs: []chain.Hash{{1}, {}}},
		&MsgReplyTxs{Txs: [][]byte{[]byte("body"), []byte("x")}}, &MsgDone{},
	}
}

func TestGolden(t *testing.T) {
	zeros := strings.Repeat("00", 32)
	one := "01" + strings.Repeat("00", 31)
	p2ptest.Golden(t, samples(),
		"0000000500"+"82"+"031840", "0000000501"+"82"+"182001",
		"0000002902"+"81"+"81"+"82"+"5820"+one+"19012c", "0000004703"+"81"+"82"+"5820"+one+"5820"+zeros,
		"0000000a04"+"81"+"82"+"44"+hex.EncodeToString([]byte("body"))+"4178", "0000000105",
	)
}

func TestHostile(t *testing.T) { p2ptest.HostileSuite(t, Protocol(), samples()...) }

func FuzzMessages(f *testing.F) {
	f.Add(byte(2), []byte{0x81, 0x80})
	f.Add(byte(4), []byte{0x81, 0x9a, 0xff, 0xff, 0xff, 0xff})
	p2ptest.FuzzMessages(f, Protocol(), samples()...)
}

func TestParseRefuses(t *testing.T) {
	ids := func(n int, bytes uint32) *MsgReplyIDs {
		m := &MsgReplyIDs{IDs: make([]Announced, n)}
		for i := range m.IDs {
			m.IDs[i].Bytes = bytes
		}
		return m
	}
	txs := func(n, bytes int) *MsgReplyTxs {
		m := &MsgReplyTxs{Txs: make([][]byte, n)}
		for i := range m.Txs {
			m.Txs[i] = make([]byte, bytes)
		}
		return m
	}
	p2ptest.Refused(t, Protocol(), map[string]table.Message{
		"ack above the window":     &MsgRequestIDs{Ack: WindowMax + 1, Max: 1},
		"max of 0":                 &MsgRequestIDs{Ack: 1},
		"max above the window":     &MsgRequestIDs{Max: WindowMax + 1},
		"a wait for none":          &MsgAwaitIDs{Ack: 1},
		"a wait above the window":  &MsgAwaitIDs{Max: WindowMax + 1},
		"too many ids":             ids(WindowMax+1, 1),
		"far too many ids":         ids(300, 1),
		"an empty transaction":     ids(1, 0),
		"a large transaction":      ids(1, TxBytesMax+1),
		"a request for none":       &MsgRequestTxs{},
		"a request for too many":   &MsgRequestTxs{IDs: make([]chain.Hash, WindowMax+1)},
		"too many transactions":    txs(WindowMax+1, 1),
		"an empty body":            txs(1, 0),
		"a body above the largest": txs(1, TxBytesMax+1),
	})
	for _, m := range []table.Message{ids(0, 1), ids(WindowMax, TxBytesMax), txs(0, 1), txs(WindowMax, 1), txs(1, TxBytesMax)} {
		require.NoError(t, p2ptest.Parse(Protocol(), m))
	}
}

// A list that claims, or has, many elements is refused before memory is spent on them.
func TestParseAllocates(t *testing.T) {
	many := &MsgReplyTxs{Txs: make([][]byte, 65000)} // 64 KiB of empty strings
	body := p2ptest.FrameOf(many)[5:]
	require.Less(t, allocated(func() { require.Error(t, new(MsgReplyTxs).ParseFrom(body)) }), uint64(16<<10))
	require.Greater(t, allocated(func() { require.NoError(t, table.ParseBody(body, new(MsgReplyTxs))) }), uint64(1<<20), "unchecked")
}

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// The largest messages fit their states' limits.
func TestLargestFit(t *testing.T) {
	fits := func(m table.Message, state table.StateID) { p2ptest.Fits(t, Protocol(), m, state) }
	ids := &MsgReplyIDs{IDs: make([]Announced, WindowMax)}
	for i := range ids.IDs {
		ids.IDs[i].Bytes = TxBytesMax
	}
	fits(ids, StateIDsNow)
	fits(ids, StateIDsWait)
	fits(&MsgRequestTxs{IDs: make([]chain.Hash, WindowMax)}, StateIdle)
	fits(&MsgReplyTxs{Txs: [][]byte{make([]byte, TxBytesMax)}}, StateTxs)
	many := &MsgReplyTxs{}
	for range WindowMax {
		many.Txs = append(many.Txs, make([]byte, RequestBytesMax/WindowMax))
	}
	fits(many, StateTxs)
}
