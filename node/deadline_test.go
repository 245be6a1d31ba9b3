package node_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/consensus/leaderschedule"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/mempool"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// deadlines is a ledger whose rule depends on the slot: a write's value is the last slot whose block may hold it. Check is not told the slot of the block
// to come, so the state holds the last block's, and Body leaves out what Apply would refuse in its slot.
type deadlines struct {
	registers
	careless bool // planted: Body leaves nothing out
}

var errLate = errors.New("past its deadline")

const slotKey = "" // a register that no write can have

func (l deadlines) inTime(slot chain.Slot, w write) error {
	if last, err := strconv.ParseUint(w.Value, 10, 64); err != nil || uint64(slot) > last {
		return fmt.Errorf("%w: %q at slot %d", errLate, w.Value, slot)
	}
	return nil
}

func (l deadlines) Check(s state, w write) (state, error) {
	if err := l.inTime(chain.Slot(s.values[slotKey].version)+1, w); err != nil {
		return s, err
	}
	return l.registers.Check(s, w)
}

func (l deadlines) Body(s state, slot chain.Slot, ws []write) []byte {
	if !l.careless {
		ws = slices.DeleteFunc(slices.Clone(ws), func(w write) bool { // and what depends on one that is left out
			next, err := l.registers.Check(s, w)
			if err = errors.Join(err, l.inTime(slot, w)); err == nil {
				s = next
			}
			return err != nil
		})
	}
	return l.registers.Body(s, slot, ws)
}

func (l deadlines) Apply(s state, b chain.Block) (state, error) {
	next, err := l.registers.Apply(s, b)
	if err != nil {
		return s, err
	}
	raws, _ := l.Transactions(b)
	for _, raw := range raws {
		w, _ := l.Parse(raw)
		if err := l.inTime(b.Header.Slot(), w); err != nil {
			return s, err
		}
	}
	next.values = maps.Clone(next.values)
	if next.values == nil {
		next.values = map[string]register{}
	}
	next.values[slotKey] = register{version: uint64(b.Header.Slot())}
	return next, nil
}

// TestDeadlines: writes whose deadline comes while they wait are in no block and in nobody's way; each ends as included or refused.
func TestDeadlines(t *testing.T) {
	for _, careless := range []bool{false, true} {
		failed := 0
		r := sim.Run(1, func(ctx context.Context) error {
			c := newCluster(ctx, 3)
			c.ledger = deadlines{careless: careless}
			return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
				for i := range c.nodes {
					if err := c.start(ctx, s, i, func(cfg *config) {
						if cfg.BodyBytesMax = 24; i == 2 { // a few writes a block, and a slot of three without one: some wait too long
							mute(cfg)
						}
						cfg.Trace.Forger = func(_ context.Context, e leaderschedule.Event) {
							if errors.Is(e.Err, errLate) {
								failed++
							}
						}
					}); err != nil {
						return err
					}
				}
				for i := range 30 {
					last := c.w.genesis.SlotAt(env.Now(ctx)) + 1 + chain.Slot(i%4)
					if err := c.write(ctx, i%3, write{Key: fmt.Sprint(i), Value: fmt.Sprint(last)}); err != nil {
						return err
					}
					if err := env.Sleep(ctx, 150*time.Millisecond); err != nil {
						return err
					}
				}
				return c.ends(ctx)
			})
		})
		require.NoError(t, r.Err)
		require.Equal(t, careless, failed > 0, "%d blocks were refused", failed)
	}
}

// ends waits until each write is included, in a block of its time, or refused, and fails unless there are some of both.
func (c *cluster) ends(ctx context.Context) error {
	var in, out int
	return until(ctx, "all have come to an end", func(tx *stm.Tx) bool {
		in, out = 0, 0
		for i, w := range c.accepted {
			switch st := c.nodes[i%3].Pool().Status(tx, w.id()); st.Stage {
			case mempool.Included:
				if (deadlines{}).inTime(st.At.Point.Slot, w) != nil {
					return false
				}
				in++
			case mempool.Refused:
				out++
			}
		}
		return in+out == len(c.accepted) && in > 0 && out > 0
	})
}
