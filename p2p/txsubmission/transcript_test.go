package txsubmission

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// script is one transcript's input: lines of "what number bytes [needs]".
//
//	theirs  the server has it        ours   we have it         gone  the server announces it and does not have it
//	later   the server comes to have it, a second later        bad   as theirs, but we call it malformed
type script struct {
	us, theirs *pool
	gone, bad  map[chain.Hash]bool
	later      [][]byte
	names      []string // for a strings.Replacer: hashes by numbers
}

func parse(t *testing.T, input string) *script {
	s := &script{us: newPool(), gone: map[chain.Hash]bool{}, bad: map[chain.Hash]bool{}}
	var ours, theirs [][]byte
	for line := range strings.Lines(strings.TrimSpace(input)) {
		var what string
		var number, bytes, needs int
		n, _ := fmt.Sscan(line, &what, &number, &bytes, &needs)
		require.GreaterOrEqual(t, n, 3, line)
		raw := transaction(number, needs, bytes)
		id := chain.HashOf(raw)
		s.names = append(s.names, fmt.Sprintf("%x", id[:2]), fmt.Sprintf("#%d", number))
		switch what {
		case "ours":
			ours = append(ours, raw)
		case "later":
			s.later = append(s.later, raw)
		default:
			s.gone[id], s.bad[id] = what == "gone", what == "bad"
			theirs = append(theirs, raw)
		}
	}
	s.us, s.theirs = newPool(ours...), newPool(theirs...)
	return s
}

func (s *script) run(cfg Config) func(ctx context.Context) error {
	cfg.offer(func(ctx context.Context, raw []byte) error {
		if s.bad[chain.HashOf(raw)] {
			return errMalformed
		}
		return s.us.Offer(ctx, raw)
	})
	return func(ctx context.Context) error {
		src := &vanishing{s.theirs, func(_ *stm.Tx, id chain.Hash) bool { return s.gone[id] }}
		r, err := pulling(ctx, client(cfg), func(ctx context.Context) error {
			return errors.Join(env.Sleep(ctx, time.Second), s.theirs.add(ctx, s.later...), env.Sleep(ctx, time.Second))
		}, serving(src))
		return errors.Join(err, errors.New(strings.Join(append(r.taps[0].lines, ended(r.ended[0])), "\n")))
	}
}

func ended(err error) string {
	if errors.Is(err, errEnough) {
		return "rests"
	}
	return err.Error()
}

// Conversations as they go over the wire.
func TestTranscripts(t *testing.T) {
	for _, c := range []struct {
		name  string
		limit func(s *script, cfg *Config)
		input string
		want  string
	}{
		{name: "ids, then transactions, then a wait for more", input: `
			theirs 1 100
			theirs 2 200 1
			later 3 300 2`, want: `
			-> AwaitIDs ack 0 max 64
			<- ReplyIDs #1:100 #2:200
			-> RequestTxs #1 #2
			<- ReplyTxs #1 #2
			-> AwaitIDs ack 2 max 64
			<- ReplyIDs #3:300
			-> RequestTxs #3
			<- ReplyTxs #3
			-> AwaitIDs ack 1 max 64
			rests`},
		{name: "what we have is acknowledged and not fetched", input: `
			ours 1 100
			theirs 1 100
			theirs 2 200 1
			theirs 3 300
			ours 3 300`, want: `
			-> AwaitIDs ack 0 max 64
			<- ReplyIDs #1:100 #2:200 #3:300
			-> RequestTxs #2
			<- ReplyTxs #2
			-> AwaitIDs ack 3 max 64
			rests`},
		{name: "nothing is sent while there is nothing", input: ``, want: `
			-> AwaitIDs ack 0 max 64
			rests`},
		{name: "a request holds so many bytes, but always one transaction", limit: func(_ *script, cfg *Config) { cfg.BytesMax = 250 }, input: `
			theirs 1 100
			theirs 2 150
			theirs 3 300
			theirs 4 10`, want: `
			-> AwaitIDs ack 0 max 64
			<- ReplyIDs #1:100 #2:150 #3:300 #4:10
			-> RequestTxs #1 #2
			<- ReplyTxs #1 #2
			-> RequestTxs #3
			<- ReplyTxs #3
			-> RequestTxs #4
			<- ReplyTxs #4
			-> AwaitIDs ack 4 max 64
			rests`},
		{name: "what is gone is left out and forgotten", input: `
			theirs 1 100
			gone 2 100
			theirs 3 100`, want: `
			-> AwaitIDs ack 0 max 64
			<- ReplyIDs #1:100 #2:100 #3:100
			-> RequestTxs #1 #2 #3
			<- ReplyTxs #1 #3
			-> AwaitIDs ack 3 max 64
			rests`},
		{name: "a refused one does not stop those behind it", input: `
			theirs 1 100 77
			theirs 2 100`, want: `
			-> AwaitIDs ack 0 max 64
			<- ReplyIDs #1:100 #2:100
			-> RequestTxs #1 #2
			<- ReplyTxs #1 #2
			-> AwaitIDs ack 2 max 64
			rests`},
		{name: "what is too large for us is passed over", limit: func(_ *script, cfg *Config) { cfg.TxBytesMax = 200 }, input: `
			theirs 1 201
			theirs 2 200`, want: `
			-> AwaitIDs ack 0 max 64
			<- ReplyIDs #1:201 #2:200
			-> RequestTxs #2
			<- ReplyTxs #2
			-> AwaitIDs ack 2 max 64
			rests`},
		{name: "a full pool: the session rests with what it has fetched", limit: func(s *script, _ *Config) { s.us.countMax = 2 }, input: `
			theirs 1 100
			theirs 2 100
			theirs 3 100
			later 4 100`, want: `
			-> AwaitIDs ack 0 max 64
			<- ReplyIDs #1:100 #2:100 #3:100
			-> RequestTxs #1 #2 #3
			<- ReplyTxs #1 #2 #3
			rests`},
		{name: "a malformed one ends the session", input: `
			theirs 1 100
			bad 2 100
			theirs 3 100`, want: `
			-> AwaitIDs ack 0 max 64
			<- ReplyIDs #1:100 #2:100 #3:100
			-> RequestTxs #1 #2 #3
			<- ReplyTxs #1 #2 #3
			p2p: peer 0: invalid in txsubmission/Txs: malformed`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := parse(t, c.input)
			cfg := config(s.us)
			if c.limit != nil {
				c.limit(s, &cfg)
			}
			got := strings.NewReplacer(s.names...).Replace(sim.Run(1, s.run(cfg)).Err.Error())
			require.Equal(t, strings.TrimSpace(strings.ReplaceAll(c.want, "\t", "")), got)
		})
	}
}
