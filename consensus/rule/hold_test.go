package rule_test

import (
	"context"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// slowStore keeps its tickets open until the test says that the disk is done.
type slowStore struct {
	*store.Memory
	open []*store.Ticket
}

func (s *slowStore) Apply(ctx context.Context, b *store.Batch, d store.Durability) (*store.Ticket, error) {
	if _, err := s.Memory.Apply(ctx, b, d); err != nil {
		return nil, err
	}
	t := store.NewTicket()
	s.open = append(s.open, t)
	return t, nil
}

func (s *slowStore) Scan(from, to []byte) iter.Seq2[store.Entry, error] {
	return s.Memory.Scan(from, to)
}

// sync makes the oldest open batch durable.
func (s *slowStore) sync(t *testing.T, err error) {
	t.Helper()
	tk := s.open[0]
	s.open = s.open[1:]
	require.NoError(t, stm.Do(t.Context(), func(tx *stm.Tx) error { tk.Complete(tx, err); return nil }))
}

// counter counts what it is told, durably, and says and shows what it has counted.
type counter struct {
	n     *rule.Var[int]
	shown *rule.Var[int]
	said  *rule.Var[int]
}

type (
	add   struct{ N int }
	hint  struct{ N int }
	total struct{ N int }
)

func counting() rule.Table[*counter] {
	type Tx = rule.Tx
	return rule.Table[*counter]{
		Name: "counter",
		New: func(s *rule.Space) *counter {
			return &counter{rule.Durable(s, "n", 0), rule.Output(s, "shown", 0), rule.Volatile(s, "said", 0)}
		},
		Rules: []rule.Rule[*counter]{
			rule.On("add", func(tx *Tx, c *counter, m add) bool { return tx.Given("something", m.N != 0) },
				func(tx *Tx, c *counter, m add) {
					c.n.Set(tx, c.n.Get(tx)+m.N)
					tx.Early(1, hint{m.N})
				}),
			rule.Upon("say", func(tx *Tx, c *counter) bool { return tx.Given("new", c.n.Get(tx) != c.said.Get(tx)) },
				func(tx *Tx, c *counter) {
					c.said.Set(tx, c.n.Get(tx))
					c.shown.Set(tx, c.n.Get(tx))
					tx.Send(1, total{c.n.Get(tx)})
				}),
		},
	}
}

type harness struct {
	t    *testing.T
	m    *rule.Module[*counter]
	disk *slowStore
	out  []any
}

// newHarness opens a counter over a slow disk; its identity is on the disk already.
func newHarness(t *testing.T, w rule.Wiring) *harness {
	h := &harness{t: t}
	if w.Store == nil {
		mem := store.NewMemory()
		_, err := rule.Open(t.Context(), counting(), rule.Wiring{Store: mem})
		require.NoError(t, err)
		h.disk = &slowStore{Memory: mem}
		w.Store = h.disk
	}
	w.Out = func(_ context.Context, ms []rule.Message) error {
		for _, m := range ms {
			h.out = append(h.out, m.Body)
		}
		return nil
	}
	var err error
	h.m, err = rule.Open(t.Context(), counting(), w)
	require.NoError(t, err)
	return h
}

// tell posts, and turns until it is handled.
func (h *harness) tell(bodies ...any) { settle(h.t, h.m, bodies...) }

func (h *harness) shown() int {
	x, err := stm.Query(h.t.Context(), h.m.State.shown.Seen)
	require.NoError(h.t, err)
	return x
}

// hidden is the property: nothing of total n can be seen while the disk does not have it.
func (h *harness) hidden(n int) bool {
	for _, m := range h.out {
		if m == (total{n}) {
			return false
		}
	}
	return h.shown() != n
}

func TestNothingIsVisibleBeforeItIsDurable(t *testing.T) {
	h := newHarness(t, rule.Wiring{})
	h.tell(add{3})
	require.True(t, h.hidden(3))
	require.Equal(t, []any{hint{3}}, h.out, "what is early does not wait")

	h.tell(add{4}) // the next turn goes on meanwhile
	require.True(t, h.hidden(3))
	require.True(t, h.hidden(7))

	h.disk.sync(t, nil)
	require.NoError(t, h.m.Turn(t.Context()))
	require.False(t, h.hidden(3))
	require.True(t, h.hidden(7))
	require.Equal(t, 3, h.shown(), "the value of that turn, not of the last")

	h.disk.sync(t, nil)
	require.NoError(t, h.m.Turn(t.Context()))
	require.Equal(t, []any{hint{3}, hint{4}, total{3}, total{7}}, h.out)
	require.Equal(t, 7, h.shown())
}

// The planted bug: a store that says durable at once. The property above must notice.
func TestLyingStoreIsNoticed(t *testing.T) {
	h := newHarness(t, rule.Wiring{Store: store.NewMemory()})
	h.tell(add{3})
	require.False(t, h.hidden(3))
}

// A turn that changes nothing durable waits for those before it, whose effects it has seen.
func TestVolatileTurnWaitsToo(t *testing.T) {
	h := newHarness(t, rule.Wiring{})
	h.tell(add{3})
	h.tell(add{-3}, add{3}) // ends as it began: "say" does not fire, nothing to write but n
	require.Equal(t, []any{hint{3}, hint{-3}, hint{3}}, h.out)
	h.disk.sync(t, nil)
	require.NoError(t, h.m.Turn(t.Context()))
	require.Contains(t, h.out, any(total{3}))
}

func TestFailedDiskEndsTheModule(t *testing.T) {
	h := newHarness(t, rule.Wiring{})
	h.tell(add{3})
	h.disk.sync(t, store.ErrFailed)
	require.ErrorIs(t, h.m.Turn(t.Context()), store.ErrFailed)
	require.True(t, h.hidden(3), "what it has not said stays unsaid")
}

// With HeldMax turns waiting for the disk, the module takes no more messages.
func TestHeldTurnsAreBounded(t *testing.T) {
	h := newHarness(t, rule.Wiring{HeldMax: 2})
	h.tell(add{1})
	h.tell(add{1})
	require.NoError(t, h.m.Post(t.Context(), 1, add{1}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, h.m.Turn(ctx), context.Canceled, "it waits for the disk alone")
	require.Len(t, h.disk.open, 2)
	h.disk.sync(t, nil)
	for !rule.Idle(h.m) {
		require.NoError(t, h.m.Turn(t.Context()))
	}
	require.Len(t, h.disk.open, 2)
}

func TestInboxIsBounded(t *testing.T) {
	h := newHarness(t, rule.Wiring{InboxMax: 3})
	offer := func(n int) (ok bool) {
		require.NoError(t, stm.Do(t.Context(), func(tx *stm.Tx) error { ok = h.m.Offer(tx, 1, make([]any, n)...); return nil }))
		return ok
	}
	require.True(t, offer(2))
	require.True(t, offer(1))
	require.False(t, offer(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, h.m.Post(ctx, 1, add{1}), context.Canceled, "Post waits")
	require.NoError(t, h.m.Turn(t.Context()))
	require.True(t, offer(1))
}

// What a log knows as durable follows the disk, and an entry that took the place of one cut off is not durable with it.
func TestSyncedFollowsTheDisk(t *testing.T) {
	disk := &slowStore{Memory: store.NewMemory()}
	_, err := rule.Open(t.Context(), journaling(), rule.Wiring{Store: disk.Memory})
	require.NoError(t, err)
	m := open(t, journaling(), rule.Wiring{Store: disk})
	synced := func() uint64 { return m.State.log.Synced(&rule.Tx{}) }
	settle(t, m, doing(func(tx *rule.Tx, j *journal) { j.log.Append(tx, line{1, ""}, line{2, ""}, line{3, ""}) }))
	require.Zero(t, synced())
	settle(t, m, doing(func(tx *rule.Tx, j *journal) { j.n.Set(tx, pair{}) })) // another turn, without the log
	settle(t, m, doing(func(tx *rule.Tx, j *journal) {
		j.log.Truncate(tx, 1)
		j.log.Append(tx, line{4, ""}, line{5, ""}, line{6, ""})
	}))
	for _, want := range []uint64{1, 1, 4} {
		disk.sync(t, nil)
		require.NoError(t, m.Turn(t.Context()))
		require.Equal(t, want, synced())
	}
	settle(t, m, doing(func(tx *rule.Tx, j *journal) { j.log.Truncate(tx, 2) }))
	require.Equal(t, uint64(2), synced(), "at once: it must not claim what is gone")
}

// A guard that asks what is synced is evaluated again when that has changed.
func TestSyncedWakesGuards(t *testing.T) {
	disk := &slowStore{Memory: store.NewMemory()}
	table := journaling()
	table.Rules = append(table.Rules, rule.Upon("synced", func(tx *rule.Tx, j *journal) bool {
		return tx.Given("more is synced", int(j.log.Synced(tx)) > j.gone.Get(tx))
	}, func(tx *rule.Tx, j *journal) { j.gone.Set(tx, int(j.log.Synced(tx))) }))
	_, err := rule.Open(t.Context(), table, rule.Wiring{Store: disk.Memory})
	require.NoError(t, err)
	m := open(t, table, rule.Wiring{Store: disk})
	settle(t, m, doing(func(tx *rule.Tx, j *journal) { j.log.Append(tx, line{1, ""}, line{2, ""}, line{3, ""}) }))
	require.Equal(t, 1, m.State.gone.Get(&rule.Tx{}))
	disk.sync(t, nil)
	require.NoError(t, m.Turn(t.Context())) // learns it
	require.NoError(t, m.Turn(t.Context())) // acts on it
	require.Equal(t, 3, m.State.gone.Get(&rule.Tx{}))
}
