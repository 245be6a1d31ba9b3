package libp2p

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// longAgo is a deadline that has passed.
func longAgo() time.Time { return time.Unix(1, 0) }

// pump reads ahead for Watch. Its task is started by the first Watch and lives as long as the stream; it reads only between a Watch
// and the next Read. At most one of the pump and the reader is inside libp2p's Read.
//
// It is made by hand, of a lock and a condition: what is handed over is the right to be inside a blocking Read and the deadline of that, which no
// transaction can end; and a Read that finds bytes pays for no transaction. Whoever waits in one sees Gone.
type pump struct {
	s       *stream
	mu      sync.Mutex
	turn    sync.Cond
	answer  answer    // what the peer must still say before its first byte
	ahead   []byte    // read ahead, at most aheadMax
	err     error     // what reading ended with, for ever
	started bool      // the task exists
	wanted  bool      // a Watch holds
	inside  bool      // the task is inside libp2p's Read
	direct  bool      // the reader is
	waiting bool      // a Read waits for the task to come out
	late    bool      // it came out with the waiting Read's deadline
	stopped bool      // the stream has ended
	until   time.Time // the read deadline asked for
	armed   time.Time // the one set in libp2p
}

const aheadMax = 1024

func (p *pump) init(s *stream, a answer) { p.s, p.answer, p.turn.L = s, a, &p.mu }

// read is called by the stream's reader.
func (p *pump) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.inside && len(p.ahead) == 0 && p.err == nil && !p.late && !p.stopped {
		p.waiting = true
		p.arm(p.until)
		p.turn.Wait()
	}
	p.waiting = false
	switch {
	case p.late:
		p.late = false
		return 0, os.ErrDeadlineExceeded
	case len(p.ahead) > 0:
		n := copy(b, p.ahead)
		p.ahead = append(p.ahead[:0], p.ahead[n:]...)
		return n, nil
	case p.err != nil || p.stopped:
		return 0, p.err
	}
	p.wanted, p.direct = false, true
	p.arm(p.until)
	p.mu.Unlock()
	n, err := p.raw(b)
	p.mu.Lock()
	p.direct = false
	p.turn.Broadcast()
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && n == 0 {
		p.err = err
	}
	return n, err
}

// raw reads from libp2p, past the answer to our choice of protocol; without the lock.
func (p *pump) raw(b []byte) (int, error) {
	if p.answer.got < len(p.answer.want) {
		if err := p.answer.read(p.s.raw); err != nil {
			return 0, p.translate(err)
		}
	}
	n, err := p.s.raw.Read(b)
	if err == nil {
		return n, nil
	}
	return n, p.translate(err)
}

func (p *pump) translate(err error) error {
	switch {
	case err == io.EOF:
		p.s.eof.Store(true)
		return err
	case errors.Is(err, ErrProtocol):
		return err
	}
	return ioError(p.s.raw.Conn(), err)
}

// arm sets the deadline in libp2p if it is not the one set there.
func (p *pump) arm(t time.Time) {
	if t != p.armed && !p.stopped {
		p.armed = t
		_ = p.s.raw.SetReadDeadline(t) // fails only once the stream is over, which the read then says
	}
}

// setDeadline leaves libp2p alone while only the pump reads: it is not the one who must be in time.
func (p *pump) setDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = t
	if !p.inside || p.waiting {
		p.arm(t)
	}
	return nil
}

// stop lets everybody inside libp2p go.
func (p *pump) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	_ = p.s.raw.SetReadDeadline(longAgo())
	_ = p.s.raw.SetWriteDeadline(longAgo())
	p.turn.Broadcast()
}

func (p *pump) watch() {
	p.mu.Lock()
	start := !p.started && !p.stopped && p.err == nil
	p.wanted, p.started = true, p.started || start
	over := p.over()
	p.turn.Broadcast()
	p.mu.Unlock()
	if over != nil {
		p.s.publish(over)
	}
	if start { // refused once the network has ended, and the stream with it
		p.s.link.net.tasks.start("watch "+string(p.s.raw.Protocol()), p.run)
	}
}

// over is the end that Gone may report: not before all that was read ahead has been taken.
func (p *pump) over() error {
	if len(p.ahead) > 0 {
		return nil
	}
	return p.err
}

// run is the pump's task.
func (p *pump) run(context.Context) error {
	buf := make([]byte, 256)
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.stopped && p.err == nil {
		if !p.wanted || p.direct || len(p.ahead) >= aheadMax {
			p.turn.Wait()
			continue
		}
		p.inside = true
		p.mu.Unlock()
		n, err := p.raw(buf)
		p.mu.Lock()
		p.inside = false
		p.took(buf[:n], err)
		if over := p.over(); over != nil && !p.stopped {
			p.mu.Unlock()
			p.s.publish(over)
			p.mu.Lock()
		}
		p.turn.Broadcast()
	}
	return nil
}

// took records what one read brought.
func (p *pump) took(b []byte, err error) {
	p.ahead = append(p.ahead, b...)
	switch {
	case err == nil:
	case !errors.Is(err, os.ErrDeadlineExceeded):
		p.err = err
	case p.waiting && p.armed == p.until:
		p.late = len(p.ahead) == 0
	default: // a deadline armed before the Watch: nobody waits, so nobody is late
		p.arm(time.Time{})
	}
	if p.waiting {
		p.wanted = false
	}
}
