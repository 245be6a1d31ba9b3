package rule

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
)

// armed is a rule in a module, with what is known of its guards: one that was false stays so until something it has
// read is written.
type armed[P any] struct {
	*Rule[P]
	clause[P]
	n      int      // bindings
	domain uint64   // what the domain has read
	reads  []uint64 // what each guard has read when it was last false
	stale  []bool
	union  uint64
	old    bool // the domain is to be evaluated again
	fired  int  // in this turn
}

func (a *armed[P]) fresh() {
	a.old = a.bind != nil
	if !a.old {
		a.resize(1)
	}
}

// resize forgets everything about the guards.
func (a *armed[P]) resize(n int) {
	for len(a.reads) < n {
		a.reads, a.stale = append(a.reads, 0), append(a.stale, false)
	}
	a.n, a.union = n, 0
	for i := range n {
		a.stale[i] = true
	}
}

// turn is one turn's work, dropped if its transaction is run again.
type turn[P any] struct {
	number  uint64
	backlog []Message
	queued  int // messages of the backlog that were there before the turn
	batch   int // messages of the backlog that this turn handles
	out     []Message
	early   []Message
	fired   []event[P]
	firings int
	err     error
	work    func(tx *stm.Tx) error
	taken   *parcel
	release bool // a held turn's ticket is done
	awake   bool // not waiting for the disk alone
	asked   []*question
}

// event is a firing, to be traced once it has happened.
type event[P any] struct {
	rule    *armed[P]
	binding string
	message any
}

// Turn waits until there is something to do and does it: messages in the order in which they came, then the rules
// about state in table order until none holds, all in one transaction.
func (m *Module[P]) Turn(ctx context.Context) error {
	t := &m.turn
	if t.work == nil {
		t.work = m.attempt
	}
	t.queued, t.firings = len(t.backlog), 0
	err := stm.Do(ctx, t.work)
	m.tx.outer = nil
	if err != nil {
		m.space.rollback()
		return err
	}
	if t.awake {
		m.asleep, m.hold.news = m.tx.now, 0
	}
	t.backlog = eat(t.backlog, t.batch)
	t.backlog = t.taken.unpack(t.backlog, m.w.Self)
	if t.firings == 0 && len(m.space.dirty) == 0 && !t.release {
		return nil
	}
	if t.firings > 0 {
		t.number++
		m.tell(ctx)
	}
	return m.settle(ctx)
}

// attempt is the body of a turn's transaction.
func (m *Module[P]) attempt(stx *stm.Tx) error {
	t := &m.turn
	m.reset(stx)
	if t.awake = len(m.hold.turns) < m.w.HeldMax; t.awake {
		m.awake()
		m.fetch(stx)
		m.messages()
		if err := m.rest(); err != nil {
			return err
		}
	}
	if len(m.hold.turns) > 0 {
		var err error
		if err, t.release = m.hold.turns[0].ticket.Done(stx); t.release && err != nil {
			return m.undurable(err)
		}
	}
	for _, q := range t.asked {
		m.answer(stx, q)
	}
	if t.firings > 0 || t.batch > 0 || t.taken != nil || t.release {
		return nil
	}
	if due := m.space.due(m.tx.now); due != 0 && t.awake {
		stx.WakeAt(m.birth.Add(time.Duration(due)))
	}
	return stm.ErrRetry
}

// time is what has passed since the module's first turn, and a bit: 0 is no time.
func (m *Module[P]) time(stx *stm.Tx) int64 {
	now := env.Time(stx)
	if m.birth.IsZero() {
		m.birth = now.Add(-1)
	}
	return int64(now.Sub(m.birth))
}

// reset drops what an earlier attempt has produced.
func (m *Module[P]) reset(stx *stm.Tx) {
	t := &m.turn
	m.space.rollback()
	m.tx.outer, m.tx.ended = stx, false //stmvet:ok a rule's Tx has it while the body runs, and not after
	m.tx.now = m.time(stx)
	clear(t.out)
	clear(t.early)
	clear(t.fired)
	clear(t.asked)
	t.out, t.early, t.fired, t.asked = t.out[:0], t.early[:0], t.fired[:0], t.asked[:0]
	clear(t.backlog[t.queued:])
	t.backlog, t.batch = t.backlog[:t.queued], 0
	t.taken, t.release, t.err = nil, false, nil
	if t.firings > 0 { // of an attempt that did not commit: what it knows of guards is not to be trusted
		for _, a := range m.rules {
			a.fired = 0
			a.fresh()
		}
	}
	t.firings = 0
}

// fetchMax is the number of messages that are taken and handled in one transaction. More are taken in one of their own
// first, because each Post that comes meanwhile makes the transaction that takes run again.
const fetchMax = 8

// fetch chooses the messages of this turn.
func (m *Module[P]) fetch(stx *stm.Tx) {
	t := &m.turn
	if t.queued == 0 {
		if t.taken = m.inbox.take(stx); t.taken != nil && t.taken.total <= min(fetchMax, m.w.DrainMax) {
			t.backlog, t.taken = t.taken.unpack(t.backlog, m.w.Self), nil
		}
	}
	t.batch = min(len(t.backlog), m.w.DrainMax)
}

// awake takes in what has changed by itself: the clock, what was synced, other modules.
func (m *Module[P]) awake() {
	m.wrote(m.space.passed(m.asleep, m.tx.now) | m.hold.news | outerBit)
}

// wrote marks the guards that have read something in bits.
func (m *Module[P]) wrote(bits uint64) {
	for _, a := range m.rules {
		if a.bind != nil && a.domain&bits != 0 {
			a.old = true
		}
		if a.union&bits == 0 {
			continue
		}
		for i, r := range a.reads[:a.n] {
			if r&bits != 0 {
				a.stale[i] = true
			}
		}
	}
}

// messages gives each message to the first rule that takes it.
func (m *Module[P]) messages() {
	t, tx := &m.turn, &m.tx
	tx.writes = 0
	for i := range t.batch {
		msg := &t.backlog[i]
		tx.from = msg.From
		m.message(msg.Body)
	}
	if t.batch > 0 {
		m.wrote(tx.writes)
	}
}

// message gives one to the rules of its type in table order, and then to the pools.
func (m *Module[P]) message(body any) {
	if q, ok := body.(*question); ok {
		m.turn.asked = append(m.turn.asked, q)
		return
	}
	for _, a := range m.kind(body) {
		if !a.hear(&m.tx, m.State, body) {
			continue
		}
		m.fire(a, "", body)
		a.take(&m.tx, m.State, body)
		if !a.keep {
			return
		}
	}
	for _, h := range m.space.hears {
		if h.hear(&m.tx, body) {
			return
		}
	}
}

// kind are the rules that may take a message of body's type.
func (m *Module[P]) kind(body any) []*armed[P] {
	t := reflect.TypeOf(body)
	as, ok := m.kinds[t]
	if !ok && t != nil {
		for _, a := range m.on {
			if t.AssignableTo(a.msg) {
				as = append(as, a)
			}
		}
		m.kinds[t] = as
	}
	return as
}

// rest fires rules about state until none holds.
func (m *Module[P]) rest() error {
	tx := &m.tx
	for again := true; again; {
		again = false
		for _, a := range m.rules {
			if a.old {
				tx.reads = 0
				a.resize(a.bind(tx, m.State))
				a.domain, a.old = tx.reads, false
			}
			for i := 0; i < a.n && !a.old; i++ {
				if !a.stale[i] {
					continue
				}
				tx.reads, tx.writes = 0, 0
				if !a.when(tx, m.State, i) {
					a.reads[i], a.stale[i] = tx.reads, false
					a.union |= tx.reads
					continue
				}
				again = true
				if err := m.act(a, i); err != nil {
					return err
				}
			}
		}
	}
	return m.turn.err
}

// act does a rule whose guard holds.
func (m *Module[P]) act(a *armed[P], i int) error {
	binding := ""
	if m.w.Trace.On() {
		binding = a.show(i)
	}
	m.fire(a, binding, nil)
	a.do(&m.tx, m.State, i)
	m.wrote(m.tx.writes)
	if m.turn.firings > m.w.FiringsMax {
		return m.spins()
	}
	return m.turn.err
}

func (m *Module[P]) fire(a *armed[P], binding string, message any) {
	m.turn.firings++
	a.fired++
	if m.w.Trace.On() {
		m.turn.fired = append(m.turn.fired, event[P]{a, binding, message})
	}
}

func (m *Module[P]) spins() error {
	most := m.rules[0]
	for _, a := range m.rules {
		if a.fired > most.fired {
			most = a
		}
	}
	return fmt.Errorf("%w: %s: a turn of %d firings without rest, most of them of %q", ErrBroken, m.table.Name, m.turn.firings, most.name)
}

// tell emits the turn's events.
func (m *Module[P]) tell(ctx context.Context) {
	for _, a := range m.rules {
		a.fired = 0
	}
	for _, e := range m.turn.fired {
		m.w.Trace.Emit(ctx, Fired{m.table.Name, m.w.Self, m.turn.number, e.rule.name, e.binding, e.message})
	}
}

// send implements sink.
func (m *Module[P]) send(msg Message, early bool) {
	msg.From = m.w.Self
	if early {
		m.turn.early = append(m.turn.early, msg)
	} else {
		m.turn.out = append(m.turn.out, msg)
	}
}

// broken implements sink.
func (m *Module[P]) broken(what string) {
	if m.turn.err == nil {
		m.turn.err = fmt.Errorf("%w: %s: %s %s", ErrBroken, m.table.Name, m.w.Self, what)
	}
}

// eat drops the first n.
func eat(ms []Message, n int) []Message {
	k := copy(ms, ms[n:])
	clear(ms[k:])
	return ms[:k]
}
