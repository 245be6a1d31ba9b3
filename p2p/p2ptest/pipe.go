package p2ptest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/sim/simnet"
)

// Pipe is a stream in memory, both ends, without delay, in ctx's world.
func Pipe(ctx context.Context) (a, b p2p.Stream) { return simnet.NewLink(ctx, simnet.Config{}).Pipe() }

// Frame is a message on the wire: u32 length, tag, body.
func Frame(tag byte, body ...byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)+1))
	return append(append(b, tag), body...)
}

// FrameOf is m on the wire. It panics if m cannot be encoded.
func FrameOf(m table.Message) []byte {
	body, err := m.AppendTo(nil)
	if err != nil {
		panic(fmt.Sprintf("p2ptest: %T: %v", m, err))
	}
	return Frame(m.Tag(), body...)
}

var errNotCanonical = errors.New("p2ptest: the decoder accepts what the encoder does not give")

// Canonical parses body into m, which must be empty. If m accepts it, m must encode to the same bytes: an error says that it does
// not. What m refuses is nil.
func Canonical(m table.Message, body []byte) error {
	given := bytes.Clone(body)
	if m.ParseFrom(body) != nil {
		return nil
	}
	clear(body) // m must not keep a part of it
	again, err := m.AppendTo(nil)
	if err != nil {
		return fmt.Errorf("%w: %T: %w", errNotCanonical, m, err)
	}
	if !bytes.Equal(again, given) {
		return fmt.Errorf("%w: %T: [%x] became [%x]", errNotCanonical, m, given, again)
	}
	return nil
}
