package p2ptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// StreamCase is one promise of p2p.Stream. Run gets two ends of a fresh stream and says what is wrong.
type StreamCase struct {
	Name string
	Run  func(ctx context.Context, a, b p2p.Stream) error
}

// StreamSuite asks for a window of at least 6,000 bytes. It runs every case on streams that pair makes, in production. pair cleans up by t.
func StreamSuite(t *testing.T, pair func(t *testing.T) (a, b p2p.Stream)) {
	for _, c := range StreamCases() {
		t.Run(c.Name, func(t *testing.T) {
			ctx, cancel := env.WithTimeout(context.Background(), time.Minute) // a hang must end
			defer cancel()
			a, b := pair(t)
			stop := env.AfterFunc(ctx, func() { a.Reset(0); b.Reset(0) })
			defer stop()
			if err := c.Run(ctx, a, b); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// StreamCases are the promises, each independent of the others.
func StreamCases() []StreamCase {
	return []StreamCase{
		{"bytes arrive in order, both ways at once", inOrder},
		{"an empty write is nothing", emptyWrite},
		{"after CloseWrite the other way goes on", halfClose},
		{"a reset after both ways have ended takes nothing from the peer", lateReset},
		{"a read deadline ends a read and can be lifted", readDeadline},
		{"a read deadline in the past", readDeadlinePast},
		{"a write to a full window waits, until its deadline", writeDeadline},
		{"a reset reaches both ends with its code", resetCodes},
		{"a reset by another task ends a blocked read", resetUnblocksRead},
		{"a reset by another task ends a blocked write", resetUnblocksWrite},
		{"the first reset counts", resetTwice},
		{"Gone is nil while all is well", goneNil},
		{"Gone reports the peer's reset", goneReset},
		{"Gone reports the peer's end", goneEOF},
		{"what Watch has read is not lost", watchKeeps},
		{"a read deadline that passes under Watch does no harm", watchDeadline},
	}
}

// both runs f and g side by side and returns the first error.
func both(ctx context.Context, f, g func() error) error {
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		s.Go("other", func(context.Context) error { return g() })
		return f()
	})
}

func pattern(n, salt int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8 + salt)
	}
	return b
}

func readFull(s p2p.Stream, want []byte) error {
	got := make([]byte, len(want))
	if n, err := io.ReadFull(s, got); err != nil {
		return fmt.Errorf("reading %d bytes: %d, then %w", len(want), n, err)
	}
	if !bytes.Equal(got, want) {
		return errors.New("other bytes than were written")
	}
	return nil
}

func write(s p2p.Stream, b []byte) error {
	n, err := s.Write(b)
	if err == nil && n != len(b) {
		err = fmt.Errorf("wrote %d of %d bytes without an error", n, len(b))
	}
	return err
}

func expectRead(s p2p.Stream, want error) error {
	n, err := s.Read(make([]byte, 1))
	if n != 0 || !errors.Is(err, want) {
		return fmt.Errorf("read of %d bytes, error %v instead of %w", n, err, want)
	}
	return nil
}

// isReset checks that err is a reset with this code by this side.
func isReset(err error, code p2p.Code, remote bool) error {
	var r *p2p.ResetError
	if !errors.As(err, &r) || r.Code != code || r.Remote != remote {
		return fmt.Errorf("error %v instead of a reset with %v, remote %v", err, code, remote)
	}
	return nil
}

func inOrder(ctx context.Context, a, b p2p.Stream) error {
	const size = 200 << 10
	side := func(s p2p.Stream, mine, theirs int) func() error {
		return func() error {
			out, in := pattern(size, mine), pattern(size, theirs)
			for at, n := 0, 1; at < size; n = n%5000 + 77 {
				end := min(at+n, size)
				if err := write(s, out[at:end]); err != nil {
					return err
				}
				if err := readFull(s, in[at:end]); err != nil {
					return err
				}
				at = end
			}
			return nil
		}
	}
	return both(ctx, side(a, 1, 2), side(b, 2, 1))
}

func emptyWrite(_ context.Context, a, b p2p.Stream) error {
	if err := errors.Join(write(a, nil), write(a, []byte("x"))); err != nil {
		return err
	}
	return readFull(b, []byte("x"))
}

func halfClose(_ context.Context, a, b p2p.Stream) error {
	return errors.Join(
		write(a, []byte("last")), a.CloseWrite(),
		readFull(b, []byte("last")), expectRead(b, io.EOF), expectRead(b, io.EOF),
		write(b, []byte("still here")), readFull(a, []byte("still here")),
		b.CloseWrite(), expectRead(a, io.EOF),
	)
}

func lateReset(_ context.Context, a, b p2p.Stream) error {
	err := errors.Join(write(a, []byte("last words")), a.CloseWrite(), b.CloseWrite(), expectRead(a, io.EOF))
	a.Reset(p2p.CodeShutdown)
	return errors.Join(err, readFull(b, []byte("last words")), expectRead(b, io.EOF))
}

func readDeadline(ctx context.Context, a, b p2p.Stream) error {
	return errors.Join(
		a.SetReadDeadline(env.Now(ctx).Add(30*time.Millisecond)), expectRead(a, os.ErrDeadlineExceeded),
		a.SetReadDeadline(time.Time{}), write(b, []byte("late")), readFull(a, []byte("late")),
	)
}

func readDeadlinePast(ctx context.Context, a, b p2p.Stream) error {
	return errors.Join(
		a.SetReadDeadline(env.Now(ctx).Add(-time.Second)), expectRead(a, os.ErrDeadlineExceeded),
		a.SetReadDeadline(env.Now(ctx).Add(time.Minute)), write(b, []byte("late")), readFull(a, []byte("late")),
	)
}

// fill writes until the window is full and the deadline has passed.
func fill(ctx context.Context, a p2p.Stream) (int, error) {
	const most = 64 << 20
	if err := a.SetWriteDeadline(env.Now(ctx).Add(200 * time.Millisecond)); err != nil {
		return 0, err
	}
	chunk := pattern(32<<10, 3)
	for sent := 0; sent < most; {
		n, err := a.Write(chunk)
		sent += n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return sent, nil
		}
		if err != nil {
			return sent, err
		}
	}
	return most, fmt.Errorf("%d bytes written that nobody reads", most)
}

func writeDeadline(ctx context.Context, a, b p2p.Stream) error {
	sent, err := fill(ctx, a)
	if err != nil {
		return err
	}
	if sent == 0 {
		return errors.New("a window of no bytes")
	}
	_, err = io.ReadFull(b, make([]byte, min(sent, 32<<10)))
	return err
}

func resetCodes(_ context.Context, a, b p2p.Stream) error {
	if err := errors.Join(write(a, []byte("x")), readFull(b, []byte("x"))); err != nil {
		return err
	}
	a.Reset(p2p.CodeViolation)
	_, mine := a.Read(make([]byte, 1))
	_, write := a.Write([]byte("y"))
	_, theirs := b.Read(make([]byte, 1))
	return errors.Join(isReset(mine, p2p.CodeViolation, false), isReset(write, p2p.CodeViolation, false), isReset(theirs, p2p.CodeViolation, true))
}

func resetUnblocksRead(ctx context.Context, a, _ p2p.Stream) error {
	return both(ctx, func() error {
		_, err := a.Read(make([]byte, 1))
		return isReset(err, p2p.CodeShutdown, false)
	}, func() error {
		err := env.Sleep(ctx, 20*time.Millisecond)
		a.Reset(p2p.CodeShutdown)
		return err
	})
}

func resetUnblocksWrite(ctx context.Context, a, _ p2p.Stream) error {
	return both(ctx, func() error {
		chunk := make([]byte, 1<<20)
		for range 64 {
			if _, err := a.Write(chunk); err != nil {
				return isReset(err, p2p.CodeShutdown, false)
			}
		}
		return errors.New("64 MiB written that nobody reads")
	}, func() error {
		err := env.Sleep(ctx, 100*time.Millisecond)
		a.Reset(p2p.CodeShutdown)
		return err
	})
}

func resetTwice(_ context.Context, a, b p2p.Stream) error {
	a.Reset(p2p.CodeSupplanted)
	a.Reset(p2p.CodeViolation)
	_, err := b.Read(make([]byte, 1))
	b.Reset(p2p.CodeViolation)
	return isReset(err, p2p.CodeSupplanted, true)
}

func goneNil(ctx context.Context, a, b p2p.Stream) error {
	a.Watch()
	gone, err := stm.Query(ctx, a.Gone)
	return errors.Join(gone, err, write(a, []byte("x")), readFull(b, []byte("x")))
}

// awaitGone waits until s is gone, as a session does that has agency.
func awaitGone(ctx context.Context, s p2p.Stream) (gone, err error) {
	s.Watch()
	s.Watch()
	return stm.Atomically(ctx, func(tx *stm.Tx) (error, error) {
		if err := s.Gone(tx); err != nil {
			return err, nil
		}
		return nil, stm.ErrRetry
	})
}

func goneReset(ctx context.Context, a, b p2p.Stream) error {
	return both(ctx, func() error {
		gone, err := awaitGone(ctx, a)
		return errors.Join(err, isReset(gone, p2p.CodeShutdown, true))
	}, func() error {
		err := env.Sleep(ctx, 20*time.Millisecond)
		b.Reset(p2p.CodeShutdown)
		return err
	})
}

func goneEOF(ctx context.Context, a, b p2p.Stream) error {
	return both(ctx, func() error {
		gone, err := awaitGone(ctx, a)
		if !errors.Is(gone, io.EOF) {
			err = errors.Join(err, fmt.Errorf("gone by %v instead of EOF", gone))
		}
		return errors.Join(err, expectRead(a, io.EOF))
	}, func() error {
		err := env.Sleep(ctx, 20*time.Millisecond)
		return errors.Join(err, b.CloseWrite())
	})
}

func watchKeeps(ctx context.Context, a, b p2p.Stream) error {
	words := pattern(3000, 9)
	a.Watch()
	if err := errors.Join(write(b, words), env.Sleep(ctx, 20*time.Millisecond)); err != nil {
		return err
	}
	if gone, err := stm.Query(ctx, a.Gone); gone != nil || err != nil {
		return errors.Join(gone, err)
	}
	return errors.Join(readFull(a, words), b.CloseWrite(), expectRead(a, io.EOF))
}

func watchDeadline(ctx context.Context, a, b p2p.Stream) error {
	err := a.SetReadDeadline(env.Now(ctx).Add(20 * time.Millisecond))
	a.Watch()
	err = errors.Join(err, env.Sleep(ctx, 60*time.Millisecond))
	gone, e := stm.Query(ctx, a.Gone)
	err = errors.Join(err, gone, e, a.SetReadDeadline(env.Now(ctx).Add(time.Minute)), write(b, []byte("late")), readFull(a, []byte("late")))
	if err != nil {
		return err
	}
	err = a.SetReadDeadline(env.Now(ctx).Add(20 * time.Millisecond))
	a.Watch()
	err = errors.Join(err, env.Sleep(ctx, 60*time.Millisecond))
	b.Reset(p2p.CodeShutdown)
	gone, e = awaitGone(ctx, a)
	return errors.Join(err, e, isReset(gone, p2p.CodeShutdown, true))
}
