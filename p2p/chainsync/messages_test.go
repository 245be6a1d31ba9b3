package chainsync

import (
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
	files, err := gen.Files(Protocol(), gen.Config{Package: "chainsync"})
	require.NoError(t, errors.Join(err, gen.Check(".", files)))
}

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

func samples() []table.Message {
	h := chain.NewHeader(chain.Fields{Slot: 5, BlockNo: 1, BodySize: 3}, []byte("proof"))
	at := chain.Point{Slot: 24, Hash: chain.Hash{1}}
	return []table.Message{
		&MsgRequestNext{}, &MsgAwaitReply{}, &MsgRollForward{Header: h, Tip: h.Tip()},
		&MsgRollBackward{To: at, Tip: chain.Tip{Point: at, BlockNo: 9}},
		&MsgFindIntersect{Points: []chain.Point{at, {}}}, &MsgIntersectFound{At: at}, &MsgIntersectNotFound{}, &MsgDone{},
	}
}

func TestGolden(t *testing.T) {
	zeros := strings.Repeat("00", 32)
	one := "01" + strings.Repeat("00", 31)
	h := samples()[2].(*MsgRollForward).Header
	p2ptest.Golden(t, samples(),
		"0000000100", "0000000101",
		"0000007702"+"82"+"82850501"+"5820"+zeros+"5820"+zeros+"03"+"4570726f6f66"+"82"+"8205"+"5820"+h.Hash().String()+"01",
		"0000004e03"+"82"+"82181858"+"20"+one+"8282181858"+"20"+one+"09",
		"0000004c04"+"81"+"82"+"82181858"+"20"+one+"820058"+"20"+zeros,
		"0000002705"+"81"+"82181858"+"20"+one,
		"0000000106", "0000000107",
	)
}

func TestHostile(t *testing.T) { p2ptest.HostileSuite(t, Protocol(), samples()...) }

func FuzzMessages(f *testing.F) {
	f.Add(byte(2), []byte{0x82, 0xf6, 0x82, 0x82, 0x00, 0x58, 0x20}) // a header that is null
	p2ptest.FuzzMessages(f, Protocol(), samples()...)
}

func TestParseRefuses(t *testing.T) {
	body, err := table.AppendBody(nil, struct {
		_      struct{} `cbor:",toarray"`
		Header *chain.Header
		Tip    chain.Tip
	}{})
	require.NoError(t, err)
	require.Error(t, new(MsgRollForward).ParseFrom(body), "no header")
	points := func(n int) table.Message { return &MsgFindIntersect{Points: make([]chain.Point, n)} }
	p2ptest.Refused(t, Protocol(), map[string]table.Message{"no points": points(0), "too many": points(pointsMax + 1)})
	require.NoError(t, p2ptest.Parse(Protocol(), points(pointsMax)))
}

// The largest header fits the states' limit.
func TestLargestHeaderFits(t *testing.T) {
	const most = ^uint64(0)
	fields := chain.Fields{Slot: chain.Slot(most), BlockNo: chain.BlockNo(most), BodySize: ^uint32(0)}
	small := chain.NewHeader(fields, make([]byte, 1000))
	h := chain.NewHeader(fields, make([]byte, 1000+chain.HeaderBytesMax-len(small.Bytes())))
	require.Len(t, h.Bytes(), chain.HeaderBytesMax)
	p2ptest.Fits(t, Protocol(), &MsgRollForward{Header: h, Tip: h.Tip()}, StateMustReply)
}
