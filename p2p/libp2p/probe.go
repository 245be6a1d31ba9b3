package libp2p

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// AnswerMax is how long a peer has to answer a probe. One that does not is gone: its process was killed, its machine or the line to it is down, or
// it is so busy that it is of no use.
const AnswerMax = 3 * time.Second

var errNoAnswer = errors.New("the peer does not answer")

var _ p2p.Prober = (*stream)(nil)

// Probe implements p2p.Prober.
func (s *stream) Probe() error {
	l := s.link
	type question struct {
		want uint64 // the answer that is waited for
		mine bool   // nobody has asked yet
	}
	q, _ := stm.Query(context.Background(), func(tx *stm.Tx) question {
		return question{l.answers.Get(tx) + 1, !l.asked(tx)}
	})
	if q.mine && !l.net.tasks.start("probe "+string(l.peer), l.probe) {
		return &GoneError{}
	}
	gone, _ := stm.Query(context.Background(), func(tx *stm.Tx) error {
		if err := s.ended.Get(tx); err != nil {
			return err
		}
		gone := l.gone.Get(tx)
		tx.Check(gone != nil || l.answers.Get(tx) >= q.want)
		return gone
	})
	return gone
}

// asked says whether a probe is under way, and that one is from now on.
func (l *link) asked(tx *stm.Tx) bool {
	asking := l.asking.Get(tx)
	l.asking.Set(tx, true)
	return asking
}

// probe is a task: it asks, and closes what the answer condemns. That is the link itself if there is none, else the connections that
// would have taken its place.
func (l *link) probe(ctx context.Context) error {
	s, err := l.roundTrip(ctx)
	if ctx.Err() == nil { // else the network ends, and leaves the connection to its host
		code := p2p.CodeSupplanted
		if err != nil {
			code = 0
		}
		for _, loser := range l.condemned(err) {
			loser.close(code)
		}
	}
	if s != nil {
		_ = s.Reset() // last: it may block while the peer does not read
	}
	return nil
}

// condemned are the links that must go now that the link's peer has answered, or has not because of err.
func (l *link) condemned(err error) []*link {
	losers, _ := stm.Query(context.Background(), func(tx *stm.Tx) []*link {
		l.asking.Set(tx, false)
		if l.gone.Get(tx) != nil {
			return nil
		}
		if err != nil {
			l.lose(tx, &GoneError{Err: err})
			return []*link{l}
		}
		l.answers.Set(tx, l.answers.Get(tx)+1)
		var losers []*link
		for _, other := range l.net.table.Get(tx)[l.peer] {
			if other != l && other.gone.Get(tx) == nil && other.origin().against(l.origin()) == oldIsAsked {
				other.lose(tx, &GoneError{Code: p2p.CodeSupplanted})
				losers = append(losers, other)
			}
		}
		return losers
	})
	return losers
}

// roundTrip asks for what every libp2p host answers on a new stream, whichever protocols it speaks: the first line of a negotiation. A
// stream that the peer resets is an answer too. The stream, if any, is to be reset.
func (l *link) roundTrip(ctx context.Context) (network.Stream, error) {
	ctx, cancel := env.WithTimeout(ctx, AnswerMax)
	defer cancel()
	s, err := l.conn.NewStream(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errNoAnswer, ioError(l.conn, err))
	}
	stop := env.AfterFunc(ctx, func() { _ = s.SetDeadline(longAgo()) })
	defer stop()
	_, err = s.Write([]byte(token(multistream)))
	if err == nil {
		var n int
		if n, err = s.Read(make([]byte, 1)); n > 0 {
			return s, nil
		}
	}
	err = ioError(l.conn, err)
	var reset *p2p.ResetError
	if errors.As(err, &reset) && reset.Remote {
		return s, nil
	}
	return s, fmt.Errorf("%w within %v: %v", errNoAnswer, AnswerMax, err)
}
