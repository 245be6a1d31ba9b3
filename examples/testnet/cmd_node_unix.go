//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/synodkit/synod/registry"
)

// whenStdinCloses calls f once standard input has ended. That must be a pipe of this process's own: reading it is made non-blocking, so that it can end
// with the scope.
func whenStdinCloses(s *registry.Scope, f func()) error {
	fd := int(os.Stdin.Fd())
	if err := syscall.SetNonblock(fd, true); err != nil {
		return fmt.Errorf("--until-stdin-closes: %w", err)
	}
	in, err := registry.Acquire(s, "stdin", func(context.Context) (*os.File, error) {
		return os.NewFile(uintptr(fd), "stdin"), nil
	}, func(_ context.Context, in *os.File) error {
		_ = in.Close() // closed already, if it was the scope that ended the read
		return nil
	})
	if err != nil {
		return err
	}
	s.Go("stdin", func(ctx context.Context) error {
		defer context.AfterFunc(ctx, func() { _ = in.Value().Close() })() // ends the read
		_, _ = io.Copy(io.Discard, in.Value())
		f()
		return nil
	})
	return nil
}
