package libp2p_test

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

func write(t testing.TB, s p2p.Stream, b string) {
	n, err := s.Write([]byte(b))
	require.NoError(t, err)
	require.Equal(t, len(b), n)
}

func read(t testing.TB, s p2p.Stream, want string) {
	buf := make([]byte, len(want))
	_, err := io.ReadFull(s, buf)
	require.NoError(t, err)
	require.Equal(t, want, string(buf))
}

func TestExchangeAndHalfClose(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		two(t, tr, func(ctx context.Context, _ *registry.Scope, a, b node) {
			sa, sb := pair(t, ctx, a, b)
			write(t, sa, "ping")
			read(t, sb, "ping")
			require.NoError(t, sa.CloseWrite())
			_, err := sb.Read(make([]byte, 1))
			require.ErrorIs(t, err, io.EOF)
			write(t, sb, "last words")
			require.NoError(t, sb.CloseWrite())
			sb.Reset(p2p.CodeShutdown) // both halves have ended: this takes nothing back
			got, err := io.ReadAll(sa)
			require.NoError(t, err)
			require.Equal(t, "last words", string(got))
			_, err = sa.Write([]byte("x"))
			require.ErrorIs(t, err, io.ErrClosedPipe)
			sa.Reset(0)
		})
	})
}

func TestResetArrivesWithItsCode(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		two(t, tr, func(ctx context.Context, _ *registry.Scope, a, b node) {
			sa, sb := pair(t, ctx, a, b)
			sa.Reset(p2p.CodeViolation)
			sa.Reset(p2p.CodeShutdown) // the first counts
			_, err := sa.Read(make([]byte, 1))
			require.Equal(t, &p2p.ResetError{Code: p2p.CodeViolation}, err)
			_, err = sa.Write([]byte("x"))
			require.Equal(t, &p2p.ResetError{Code: p2p.CodeViolation}, err)
			_, err = sb.Read(make([]byte, 1))
			require.Equal(t, &p2p.ResetError{Code: p2p.CodeViolation, Remote: true}, err)
			sb.Reset(0)
		})
	})
}

func TestResetUnblocksReadAndWrite(t *testing.T) {
	two(t, libp2p.TCP, func(ctx context.Context, s *registry.Scope, a, b node) {
		sa, sb := pair(t, ctx, a, b)
		errs := stm.NewVar[[]error](nil)
		for _, f := range []func() error{
			func() error { _, err := sb.Read(make([]byte, 1)); return err },
			func() error {
				for {
					if _, err := sb.Write(make([]byte, 1<<16)); err != nil {
						return err
					}
				}
			},
		} {
			s.Go("blocked", func(ctx context.Context) error {
				err := f()
				return stm.Do(ctx, func(tx *stm.Tx) error {
					errs.Set(tx, append(errs.Get(tx)[:len(errs.Get(tx)):len(errs.Get(tx))], err))
					return nil
				})
			})
		}
		sb.Reset(p2p.CodeSupplanted)
		got, err := stm.Query(ctx, func(tx *stm.Tx) []error { tx.Check(len(errs.Get(tx)) == 2); return errs.Get(tx) })
		require.NoError(t, err)
		for _, err := range got {
			require.Equal(t, &p2p.ResetError{Code: p2p.CodeSupplanted}, err)
		}
		sa.Reset(0)
	})
}

func TestDeadlines(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		two(t, tr, func(ctx context.Context, _ *registry.Scope, a, b node) {
			sa, sb := pair(t, ctx, a, b)
			for _, s := range []p2p.Stream{sa, sb} { // on sa also before the protocol's answer has been read
				require.NoError(t, s.SetReadDeadline(env.Now(ctx).Add(-time.Second)))
				_, err := s.Read(make([]byte, 1))
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				require.NoError(t, s.SetReadDeadline(time.Time{}))
			}
			write(t, sb, "after")
			read(t, sa, "after") // a later deadline can be set

			// nobody reads: the writer blocks until its deadline, having said how much was taken
			require.NoError(t, sa.SetWriteDeadline(env.Now(ctx).Add(100*time.Millisecond)))
			total := 0
			for {
				n, err := sa.Write(make([]byte, 1<<16))
				total += n
				if err != nil {
					require.ErrorIs(t, err, os.ErrDeadlineExceeded)
					break
				}
			}
			require.Less(t, total, 16<<20)
			require.NoError(t, sb.SetReadDeadline(env.Now(ctx).Add(patience)))
			_, err := io.ReadFull(sb, make([]byte, total))
			require.NoError(t, err)
			sa.Reset(0)
		})
	})
}

// watched waits in a transaction for the stream's end, as a server with agency does.
func TestGoneSeesThePeerVanish(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		two(t, tr, func(ctx context.Context, _ *registry.Scope, a, b node) {
			_, sb := pair(t, ctx, a, b)
			require.NoError(t, a.host.Close())
			require.ErrorIs(t, gone(t, ctx, sb), p2p.ErrGone)
			_, err := sb.Read(make([]byte, 1))
			require.ErrorIs(t, err, p2p.ErrGone)
			connected(t, ctx, b)
		})
	})
}

func TestWatchSeesAReset(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		two(t, tr, func(ctx context.Context, _ *registry.Scope, a, b node) {
			sa, sb := pair(t, ctx, a, b)
			for range 3 { // the pump hands over to Read and takes up again
				sb.Watch()
				sb.Watch()
				write(t, sa, "request")
				read(t, sb, "request")
				write(t, sb, "answer")
				read(t, sa, "answer")
			}
			sb.Watch()
			require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { return sb.Gone(tx) }))
			sa.Reset(p2p.CodeShutdown)
			require.Equal(t, &p2p.ResetError{Code: p2p.CodeShutdown, Remote: true}, gone(t, ctx, sb))
			_, err := sb.Read(make([]byte, 1))
			require.Equal(t, &p2p.ResetError{Code: p2p.CodeShutdown, Remote: true}, err)
			sb.Reset(0)
		})
	})
}

func TestWatchKeepsTheDeadlineForTheReader(t *testing.T) {
	two(t, libp2p.TCP, func(ctx context.Context, s *registry.Scope, a, b node) {
		sa, sb := pair(t, ctx, a, b)
		require.NoError(t, sb.SetReadDeadline(env.Now(ctx).Add(20*time.Millisecond)))
		sb.Watch()
		require.NoError(t, env.Sleep(ctx, 60*time.Millisecond)) // the deadline passes while nobody reads: nobody is late
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { return sb.Gone(tx) }))
		sb.Watch()
		_, err := sb.Read(make([]byte, 1)) // but a reader is
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, sb.SetReadDeadline(env.Now(ctx).Add(patience)))
		write(t, sa, "x")
		read(t, sb, "x")
		sb.Watch()
		sa.Reset(p2p.CodeShutdown)
		var reset *p2p.ResetError
		require.True(t, errors.As(gone(t, ctx, sb), &reset))
		sb.Reset(0)
	})
}

func TestGoneReportsTheEndOnlyOnceAllWasRead(t *testing.T) {
	two(t, libp2p.TCP, func(ctx context.Context, s *registry.Scope, a, b node) {
		sa, sb := pair(t, ctx, a, b)
		sb.Watch()
		write(t, sa, "unread")
		require.NoError(t, sa.CloseWrite())
		require.NoError(t, env.Sleep(ctx, 20*time.Millisecond)) // lets the pump take both in; the test holds without
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { return sb.Gone(tx) }))
		read(t, sb, "unread")
		sb.Watch()
		require.ErrorIs(t, gone(t, ctx, sb), io.EOF)
		_, err := sb.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		sb.Reset(0)
		sa.Reset(0)
	})
}

func TestADeadlineSetWhileThePumpReads(t *testing.T) {
	two(t, libp2p.TCP, func(ctx context.Context, s *registry.Scope, a, b node) {
		sa, sb := pair(t, ctx, a, b)
		sb.Watch()
		require.NoError(t, env.Sleep(ctx, 20*time.Millisecond)) // lets the pump begin; the test holds without
		require.NoError(t, sb.SetReadDeadline(env.Now(ctx).Add(50*time.Millisecond)))
		full := make([]byte, 1024) // what the pump reads ahead at most: then it stops
		_, err := sa.Write(full)
		require.NoError(t, err)
		require.NoError(t, env.Sleep(ctx, 20*time.Millisecond))
		_, err = io.ReadFull(sb, full)
		require.NoError(t, err)
		_, err = sb.Read(full)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		sa.Reset(0)
		sb.Reset(0)
	})
}
