package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	out := terminal{Writer: os.Stdout}
	if fd := int(os.Stdout.Fd()); term.IsTerminal(fd) {
		out.size = func() (width, height int, err error) { return term.GetSize(fd) }
	}
	status := execute(ctx, os.Args[1:], out, os.Stderr)
	stop()
	os.Exit(status)
}
