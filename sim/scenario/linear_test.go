package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/scenario"
	"github.com/synodkit/synod/sim/simdisk"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// request is what a client asks of the register: to be the value, or to be told it.
type request struct {
	write bool
	value string
	reply *stm.Var[*string]
}

// register is a service of one value, on a machine that crashes.
type register struct {
	disk  *simdisk.Disk
	inbox *stm.Var[[]request]
	acks  store.Durability
}

func (r *register) run(ctx context.Context) error {
	s, err := r.disk.Open(ctx)
	if err != nil {
		return err
	}
	value, err := s.Get([]byte("v"))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	for {
		q, err := stm.Query(ctx, func(tx *stm.Tx) request {
			waiting := r.inbox.Get(tx)
			tx.Check(len(waiting) > 0)
			r.inbox.Set(tx, waiting[1:])
			return waiting[0]
		})
		if err != nil {
			return err
		}
		if q.write {
			b := new(store.Batch)
			b.Put([]byte("v"), []byte(q.value))
			t, err := s.Apply(ctx, b, r.acks)
			if err == nil {
				err = t.Wait(ctx)
			}
			if err != nil {
				return err
			}
			value = []byte(q.value)
		}
		answer := string(value)
		if err := stm.Do(ctx, func(tx *stm.Tx) error { q.reply.Set(tx, &answer); return nil }); err != nil {
			return err
		}
	}
}

// call asks and waits for the answer, for a while: nil is that nobody knows what became of it.
func (r *register) call(ctx context.Context, q request) (*string, error) {
	q.reply = stm.NewVar[*string](nil)
	err := stm.Do(ctx, func(tx *stm.Tx) error {
		old := r.inbox.Get(tx)
		r.inbox.Set(tx, append(old[:len(old):len(old)], q))
		return nil
	})
	if err != nil {
		return nil, err
	}
	late := env.Now(ctx).Add(40 * time.Millisecond)
	return stm.Query(ctx, func(tx *stm.Tx) *string {
		answer := q.reply.Get(tx)
		tx.Check(answer != nil || env.Reached(tx, late))
		return answer
	})
}

// history is what clients have seen, for porcupine: stamps count calls and returns.
type history struct {
	all   *stm.Var[[]porcupine.Operation]
	clock *stm.Var[int64]
}

func (h *history) tick(ctx context.Context) (now int64, err error) {
	return stm.Query(ctx, func(tx *stm.Tx) int64 { h.clock.Set(tx, h.clock.Get(tx)+1); return h.clock.Get(tx) })
}

func (h *history) client(r *register, id int) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		for i := range 6 {
			q := request{write: env.Choose(ctx, "write", 2) == 1, value: fmt.Sprintf("%d.%d", id, i)}
			call, err := h.tick(ctx)
			if err != nil {
				return err
			}
			answer, err := r.call(ctx, q)
			if err != nil {
				return err
			}
			op := porcupine.Operation{ClientId: id, Input: q, Call: call, Return: math.MaxInt64}
			if op.Return, err = h.tick(ctx); err != nil {
				return err
			}
			switch {
			case answer != nil:
				op.Output = *answer
			case !q.write:
				continue // a read without an answer says nothing
			default: // it may come about any time later
				op.Return, op.ClientId = math.MaxInt64, 1000*(id+1)+i
			}
			err = stm.Do(ctx, func(tx *stm.Tx) error {
				old := h.all.Get(tx)
				h.all.Set(tx, append(old[:len(old):len(old)], op))
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

var registerModel = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		if q := input.(request); q.write {
			return true, q.value
		}
		return output == state, state
	},
}

// linear runs clients against a register whose machine loses its power, and has porcupine judge what they saw.
func linear(acks store.Durability) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		r := &register{
			disk:  simdisk.New(simdisk.Config{WriteTime: time.Millisecond, SyncTime: 8 * time.Millisecond}),
			inbox: stm.NewVar[[]request](nil).Label("register requests"), acks: acks,
		}
		h := &history{stm.NewVar[[]porcupine.Operation](nil), stm.NewVar[int64](0)}
		s := scenario.Scenario{
			Nodes:  []scenario.Node{{Name: "register", Run: r.run, Crash: r.disk.PowerLoss}},
			Faults: []scenario.Fault{scenario.Crash(scenario.Fault{Name: "power", Every: 15 * time.Millisecond, For: 5 * time.Millisecond})},
			Limit:  time.Minute,
		}
		for id := range 3 {
			s.Clients = append(s.Clients, scenario.Client{Name: fmt.Sprint(id), Run: h.client(r, id)})
		}
		if err := s.Run(ctx); err != nil {
			return err
		}
		if !porcupine.CheckOperations(registerModel, h.all.Load(ctx)) {
			return errNotLinear
		}
		return nil
	}
}

var errNotLinear = errors.New("not linearizable")

// A register that answers what is durable is linearizable through any number of power losses; planted, one that answers what is written is not.
func TestLinearizability(t *testing.T) {
	crashes, found := 0, 0
	for seed := range uint64(60) {
		r := sim.Run(seed, linear(store.Durable))
		require.NoError(t, r.Err, seed)
		crashes += r.Faults["power"]
		if r = sim.Run(seed, linear(store.Written)); r.Err != nil {
			require.ErrorIs(t, r.Err, errNotLinear)
			found++
		}
	}
	t.Log(crashes, "crashes,", found, "of 60 runs of the planted one found")
	require.Greater(t, crashes, 60)
	require.NotZero(t, found)
}
