package txsubmission

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
)

// asking runs Serve against a client that sends a script and hears each answer; it gives how Serve ended and what was heard.
func asking(ctx context.Context, src Source, script ...table.Message) (ended error, heard []table.Message, err error) {
	a, b := p2ptest.Pipe(ctx)
	err = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		s.Go("server", func(ctx context.Context) error {
			ended = Serve(ctx, p2p.Conn{Peer: "client", Stream: b}, src)
			return nil
		})
		c := p2p.NewSession(ctx, Protocol(), table.Initiator, p2p.Conn{Peer: "server", Stream: a})
		defer func() { _ = c.Close(time.Second) }()
		for _, m := range script {
			if err := c.Send(m); err != nil {
				return err
			}
			if m.Tag() == (&MsgDone{}).Tag() {
				return c.Close(time.Second)
			}
			answer, err := c.Recv()
			var reset *p2p.ResetError
			switch {
			case errors.As(err, &reset):
				return nil
			case err != nil:
				return err
			}
			heard = append(heard, answer)
		}
		return nil
	})
	return ended, heard, err
}

func ids(raws ...[]byte) *MsgRequestTxs {
	m := &MsgRequestTxs{}
	for _, raw := range raws {
		m.IDs = append(m.IDs, chain.HashOf(raw))
	}
	return m
}

// What a client may not ask for ends its session as a violation, at the request that is wrong.
func TestLyingClient(t *testing.T) {
	all := sequence(100, 8192)
	first := &MsgAwaitIDs{Max: 64}
	for name, script := range map[string][]table.Message{
		"acknowledges before there is anything":  {&MsgAwaitIDs{Ack: 1, Max: 1}},
		"acknowledges too many":                  {&MsgAwaitIDs{Max: 10}, &MsgAwaitIDs{Ack: 11, Max: 10}},
		"acknowledges twice":                     {&MsgAwaitIDs{Max: 10}, &MsgAwaitIDs{Ack: 10, Max: 10}, &MsgRequestIDs{Ack: 11, Max: 1}},
		"acknowledges none":                      {&MsgAwaitIDs{Max: 10}, &MsgRequestIDs{Max: 1}},
		"asks beyond the window":                 {first, &MsgRequestIDs{Ack: 10, Max: 11}},
		"waits with some outstanding":            {first, &MsgAwaitIDs{Ack: 63, Max: 1}},
		"does not wait with none outstanding":    {&MsgRequestIDs{Max: 1}},
		"does not wait, all acknowledged":        {first, &MsgRequestIDs{Ack: 64, Max: 64}},
		"asks for what was not announced":        {first, ids(all[64])},
		"asks for what nobody has":               {first, ids([]byte("nothing"))},
		"asks for what it acknowledged":          {first, &MsgRequestIDs{Ack: 10, Max: 10}, ids(all[9])},
		"asks twice in one request":              {first, ids(all[1], all[1])},
		"asks twice":                             {first, ids(all[1], all[2]), ids(all[2])},
		"asks in another order":                  {first, ids(all[2], all[1])},
		"asks for too much":                      {first, ids(all[:33]...)},
		"asks for one that was asked for, again": {first, ids(all[0]), &MsgRequestIDs{Ack: 1, Max: 1}, ids(all[0])},
	} {
		t.Run(name, func(t *testing.T) {
			rep := sim.Run(1, func(ctx context.Context) error {
				ended, heard, err := asking(ctx, newPool(all...), script...)
				if len(heard) != len(script)-1 {
					err = errors.Join(err, fmt.Errorf("%d answers to %d requests", len(heard), len(script)))
				}
				return errors.Join(err, violates(ended, p2p.Invalid, StateIdle))
			})
			require.NoError(t, rep.Err)
		})
	}
}

// The same client without its fault is served.
func TestServe(t *testing.T) {
	all := sequence(100, 8192)
	large := transaction(1000, 0, TxBytesMax)
	inBoth(t, func(ctx context.Context) error {
		src := newPool(all...)
		if err := src.add(ctx, transaction(1001, 0, TxBytesMax+1), large); err != nil {
			return err
		}
		ended, heard, err := asking(ctx, src,
			&MsgAwaitIDs{Max: 64}, ids(all[:32]...), ids(all[40], all[63]), &MsgRequestIDs{Ack: 63, Max: 63},
			ids(all[64]), &MsgDone{})
		if ended != nil || err != nil {
			return errors.Join(err, ended)
		}
		for i, want := range []table.Message{
			announce(all[:64]...), bring(all[:32]...), bring(all[40], all[63]), announce(append(all[64:], large)...), bring(all[64]),
		} {
			if text(heard[i]) != text(want) {
				return fmt.Errorf("answer %d: %s instead of %s", i, text(heard[i]), text(want))
			}
		}
		return nil
	})
}
