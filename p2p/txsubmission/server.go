package txsubmission

import (
	"context"
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/stm"
)

// Source has the transactions to serve, each after those it depends on. mempool.Pool is one.
type Source interface {
	// After is the first transaction with a greater ticket than the one given, 0 at first; the transaction that sees none can Retry.
	After(tx *stm.Tx, ticket uint64) (next uint64, id chain.Hash, bytes int, ok bool)
	// Bytes is the transaction itself, as long as it is there.
	Bytes(tx *stm.Tx, id chain.Hash) ([]byte, bool)
}

// Serve runs the responder's side until the client says Done (nil) or the session ends otherwise.
func Serve(ctx context.Context, c p2p.Conn, src Source) error {
	s := &server{s: p2p.NewSession(ctx, Protocol(), table.Responder, c), src: src}
	for {
		m, err := s.s.Recv()
		switch m := m.(type) {
		case *MsgAwaitIDs:
			err = s.ids(ctx, int(m.Ack), int(m.Max), true)
		case *MsgRequestIDs:
			err = s.ids(ctx, int(m.Ack), int(m.Max), false)
		case *MsgRequestTxs:
			err = s.txs(ctx, m.IDs)
		case *MsgDone:
			return s.s.Close(closeLimit)
		}
		if err != nil {
			_ = s.s.Close(closeLimit) // if it has not ended by an error of its own, what was sent still arrives
			return err
		}
	}
}

// server is one session.
type server struct {
	s           *p2p.Session
	src         Source
	ticket      uint64      // of the last one announced
	outstanding []announced // announced and not acknowledged, oldest first; at most WindowMax
}

// announced is an outstanding id. The same id may stand there twice: a transaction that was rolled back is announced again.
type announced struct {
	Announced
	asked bool
}

// ids acknowledges and announces.
func (s *server) ids(ctx context.Context, ack, most int, wait bool) error {
	left := len(s.outstanding) - ack
	switch {
	case left < 0:
		return s.s.Invalid(fmt.Errorf("txsubmission: %d ids acknowledged, %d are outstanding", ack, len(s.outstanding)))
	case left+most > WindowMax:
		return s.s.Invalid(fmt.Errorf("txsubmission: %d ids asked for beside %d, at most %d", most, left, WindowMax))
	case wait && left > 0:
		return s.s.Invalid(fmt.Errorf("txsubmission: a wait while %d ids are not acknowledged", left))
	case !wait && ack == 0: // else it could be asked in a loop
		return s.s.Invalid(errors.New("txsubmission: a request for ids that acknowledges none"))
	case !wait && left == 0:
		return s.s.Invalid(errors.New("txsubmission: no wait while nothing is outstanding"))
	}
	s.outstanding = append(s.outstanding[:0], s.outstanding[ack:]...)
	b, err := s.next(ctx, most, wait)
	if err != nil {
		return err
	}
	s.ticket = b.ticket
	for _, a := range b.ids {
		s.outstanding = append(s.outstanding, announced{Announced: a})
	}
	return s.s.Send(&MsgReplyIDs{IDs: b.ids})
}

// batch is what is announced next, and the ticket where it ends.
type batch struct {
	ids    []Announced
	ticket uint64
}

// next takes up to most ids; with wait at least one.
func (s *server) next(ctx context.Context, most int, wait bool) (batch, error) {
	take := func(tx *stm.Tx) batch {
		b := batch{ticket: s.ticket}
		for len(b.ids) < most {
			ticket, id, bytes, ok := s.src.After(tx, b.ticket)
			if !ok {
				break
			}
			b.ticket = ticket
			if bytes > 0 && bytes <= TxBytesMax {
				b.ids = append(b.ids, Announced{ID: id, Bytes: uint32(bytes)})
			}
		}
		return b
	}
	if !wait {
		return stm.Query(ctx, take)
	}
	return p2p.Wait(ctx, s.s, func(tx *stm.Tx) batch {
		b := take(tx)
		tx.Check(len(b.ids) > 0)
		return b
	})
}

// txs sends what is asked for and still there.
func (s *server) txs(ctx context.Context, ids []chain.Hash) error {
	asked, err := s.ask(ids)
	if err != nil {
		return s.s.Invalid(err)
	}
	txs, err := stm.Query(ctx, func(tx *stm.Tx) [][]byte {
		txs := make([][]byte, 0, len(asked))
		for _, a := range asked {
			if raw, ok := s.src.Bytes(tx, a.ID); ok && len(raw) == int(a.Bytes) {
				txs = append(txs, raw)
			}
		}
		return txs
	})
	if err != nil {
		return err
	}
	return s.s.Send(&MsgReplyTxs{Txs: txs})
}

// ask marks ids as asked for. They must be outstanding, not asked for before, in order, and together within RequestBytesMax.
func (s *server) ask(ids []chain.Hash) ([]Announced, error) {
	asked := make([]Announced, 0, len(ids))
	bytes, at := 0, 0
	for _, id := range ids {
		for at < len(s.outstanding) && (s.outstanding[at].asked || s.outstanding[at].ID != id) {
			at++
		}
		if at == len(s.outstanding) {
			return nil, fmt.Errorf("txsubmission: transaction %v is not outstanding, asked for before, or out of order", id)
		}
		a := &s.outstanding[at]
		a.asked = true
		asked = append(asked, a.Announced)
		if bytes += int(a.Bytes); bytes > RequestBytesMax {
			return nil, fmt.Errorf("txsubmission: more than %d bytes asked for", RequestBytesMax)
		}
	}
	return asked, nil
}
