package txsubmission

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/table"
)

// tap listens to the client's end of a session and holds both sides to the limits. It belongs to the session's goroutine.
type tap struct {
	p2p.Stream
	bytesMax int // a request

	lines    []string
	asked    map[chain.Hash]int
	requests int // for transactions
	rounds   int // requests for ids
	sizes    map[chain.Hash]int
	window   int
	inFlight int // announced bytes of the request under way
	most     int // of inFlight
	err      error

	out, in []byte
}

func (t *tap) Write(b []byte) (int, error) {
	t.out = t.hear(append(t.out, b...))
	return t.Stream.Write(b)
}

func (t *tap) Read(b []byte) (int, error) {
	n, err := t.Stream.Read(b)
	t.in = t.hear(append(t.in, b[:n]...))
	return n, err
}

// hear takes whole frames and gives back the rest. What is not a message ends the listening.
func (t *tap) hear(b []byte) []byte {
	for len(b) > 4 {
		n := binary.BigEndian.Uint32(b)
		if uint64(len(b)) < 4+uint64(n) || n == 0 {
			return b
		}
		for _, spec := range Protocol().Messages {
			if m := spec.New(); spec.Tag == b[4] && m.ParseFrom(b[5:4+n]) == nil {
				t.note(m)
			}
		}
		b = b[4+n:]
	}
	return b
}

func (t *tap) note(m table.Message) {
	if t.asked == nil {
		t.asked, t.sizes = map[chain.Hash]int{}, map[chain.Hash]int{}
	}
	t.lines = append(t.lines, text(m))
	switch m := m.(type) {
	case *MsgAwaitIDs:
		t.judge(int(m.Ack), int(m.Max))
	case *MsgRequestIDs:
		t.judge(int(m.Ack), int(m.Max))
	case *MsgReplyIDs:
		t.window += len(m.IDs)
		for _, a := range m.IDs {
			t.sizes[a.ID] = int(a.Bytes)
		}
	case *MsgRequestTxs:
		t.requests++
		for _, id := range m.IDs {
			t.asked[id]++
			t.inFlight += t.sizes[id]
		}
		if t.inFlight > t.bytesMax && len(m.IDs) > 1 {
			t.err = errors.Join(t.err, fmt.Errorf("%d bytes in flight, at most %d", t.inFlight, t.bytesMax))
		}
		t.most = max(t.most, t.inFlight)
	case *MsgReplyTxs:
		t.inFlight = 0
	}
}

// judge a request for ids.
func (t *tap) judge(ack, most int) {
	t.rounds++
	t.window -= ack
	if t.window < 0 || t.window+most > WindowMax {
		t.err = errors.Join(t.err, fmt.Errorf("%d ids asked for beside %d", most, t.window))
	}
}

// text is a message for people: transactions of package pool_test's form by number.
func text(m table.Message) string {
	var b strings.Builder
	switch m := m.(type) {
	case *MsgAwaitIDs:
		fmt.Fprintf(&b, "-> AwaitIDs ack %d max %d", m.Ack, m.Max)
	case *MsgRequestIDs:
		fmt.Fprintf(&b, "-> RequestIDs ack %d max %d", m.Ack, m.Max)
	case *MsgReplyIDs:
		fmt.Fprintf(&b, "<- ReplyIDs")
		for _, a := range m.IDs {
			fmt.Fprintf(&b, " %x:%d", a.ID[:2], a.Bytes)
		}
	case *MsgRequestTxs:
		fmt.Fprintf(&b, "-> RequestTxs")
		for _, id := range m.IDs {
			fmt.Fprintf(&b, " %x", id[:2])
		}
	case *MsgReplyTxs:
		fmt.Fprintf(&b, "<- ReplyTxs")
		for _, raw := range m.Txs {
			id := chain.HashOf(raw)
			fmt.Fprintf(&b, " %x", id[:2])
		}
	case *MsgDone:
		fmt.Fprintf(&b, "-> Done")
	}
	return b.String()
}
