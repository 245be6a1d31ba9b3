package p2ptest

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/table"
)

// Attack is one thing that a peer may not do in one state: the bytes it sends there, and how it goes on.
type Attack struct {
	Name  string
	State table.StateID
	Bytes []byte
	Then  Then
	Want  p2p.ViolationKind
}

// Then is what a hostile peer does after it has sent its bytes.
type Then uint8

// The ways to go on.
const (
	Rest  Then = iota // say nothing more, and keep the stream open
	Leave             // close the writing half
	Drip              // send a byte of an unfinished frame every so often, for ever
)

// Attacks lists everything that the peer of a session in the given role may not do in a state of the protocol. samples holds one of each
// message.
func Attacks(p *table.Protocol, victim table.Agency, state *table.State, samples map[byte]table.Message) []Attack {
	switch state.Agency {
	case table.Nobody:
		return []Attack{{"speaks after the end", state.Name, Frame(0), Rest, p2p.OutOfAgency}}
	case victim:
		return outOfAgency(p, state, samples)
	}
	as := headAttacks(p, state)
	for i := range p.Messages {
		if spec := &p.Messages[i]; p.Find(state.Name, spec.Tag) == spec {
			as = append(as, bodyAttacks(state, spec, FrameOf(samples[spec.Tag]))...)
		}
	}
	if state.Timeout == table.Forever {
		return as
	}
	return append(as,
		Attack{"says nothing", state.Name, nil, Rest, p2p.Timeout},
		Attack{"stops inside the length", state.Name, []byte{0, 0}, Rest, p2p.Timeout},
		Attack{"stops before the tag", state.Name, []byte{0, 0, 0, 1}, Rest, p2p.Timeout},
	)
}

func outOfAgency(p *table.Protocol, state *table.State, samples map[byte]table.Message) []Attack {
	as := []Attack{{"speaks out of turn, one byte", state.Name, []byte{0}, Rest, p2p.OutOfAgency}}
	for _, m := range p.Messages {
		as = append(as, Attack{"speaks out of turn, " + m.Name, state.Name, FrameOf(samples[m.Tag]), Rest, p2p.OutOfAgency})
	}
	return as
}

// headAttacks are refused by the length or the tag, before any body.
func headAttacks(p *table.Protocol, state *table.State) []Attack {
	length := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	most := uint32(state.BytesMax)
	as := []Attack{
		{"length 0", state.Name, length(0), Rest, p2p.Oversize},
		{"length one above the limit", state.Name, length(most + 1), Rest, p2p.Oversize},
		{"length of 4 GiB", state.Name, length(1<<32 - 1), Rest, p2p.Oversize},
		{"an HTTP request", state.Name, []byte("GET / HTTP/1.1\r\n\r\n"), Rest, p2p.Oversize},
		{"leaves inside the length", state.Name, []byte{0}, Leave, p2p.Truncated},
		{"leaves before the tag", state.Name, length(1), Leave, p2p.Truncated},
	}
	for tag := range 256 {
		if p.Find(state.Name, byte(tag)) == nil {
			as = append(as, Attack{"a tag that the state forbids", state.Name, append(length(most), byte(tag)), Rest, p2p.WrongTag})
		}
	}
	return as
}

// bodyAttacks spoil one message.
func bodyAttacks(state *table.State, spec *table.MessageSpec, good []byte) []Attack {
	name := func(what string) string { return spec.Name + " " + what }
	as := []Attack{{name("with a byte too many"), state.Name, Frame(spec.Tag, append(bytes.Clone(good[5:]), 0)...), Rest, p2p.Garbage}}
	if len(good)-4 >= state.BytesMax {
		as[0].Want = p2p.Oversize
	}
	if len(good) == 5 {
		return as
	}
	part := good[:len(good)-1]
	as = append(as,
		Attack{name("of nothing"), state.Name, Frame(spec.Tag), Rest, p2p.Garbage},
		Attack{name("of noise"), state.Name, Frame(spec.Tag, bytes.Repeat([]byte{0xa5}, len(good)-5)...), Rest, p2p.Garbage},
		Attack{name("of null"), state.Name, Frame(spec.Tag, 0xf6), Rest, p2p.Garbage},
		Attack{name("cut short by a byte"), state.Name, Frame(spec.Tag, good[5:len(good)-1]...), Rest, p2p.Garbage},
		Attack{name("of indefinite length"), state.Name, Frame(spec.Tag, append(append([]byte{0x9f}, good[6:]...), 0xff)...), Rest, p2p.Garbage},
		Attack{name("left in the middle"), state.Name, part, Leave, p2p.Truncated},
	)
	if state.Timeout != table.Forever {
		long := append(binary.BigEndian.AppendUint32(nil, uint32(state.BytesMax)), spec.Tag)
		as = append(as,
			Attack{name("stopped in the middle"), state.Name, part, Rest, p2p.Timeout},
			Attack{name("sent a byte at a time, too slowly"), state.Name, long, Drip, p2p.Timeout})
	}
	return as
}

// dripEvery is so slow that the frame is not complete in time, and fast enough that a limit which each byte renewed would not be noticed.
func dripEvery(limit time.Duration) time.Duration { return limit / 2 }
