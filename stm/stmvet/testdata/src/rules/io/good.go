package ioeffects

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"

	"kit/stm"
)

// A writer that is a parameter may be the body's own.
func good(tx *stm.Tx, v *stm.Var[string], conn net.Conn, err error, w io.Writer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", v.Get(tx))
	fmt.Fprintf(w, "%s", v.Get(tx))
	out := bufio.NewWriter(&bytes.Buffer{})
	out.WriteString("x")
	in := bufio.NewScanner(strings.NewReader(v.Get(tx)))
	for in.Scan() {
		b.WriteString(in.Text())
	}
	if os.IsNotExist(err) || errors.Is(err, os.ErrNotExist) {
		b.WriteString(conn.RemoteAddr().String() + net.JoinHostPort("a", "1"))
	}
	tx.OnCommit(func() { fmt.Println("committed"); os.Remove("x") })
	defer func() { _ = log.New(w, "", 0) }()
	return fmt.Sprint(b.String(), os.Getpid())
}

func outside(ctx context.Context, v *stm.Var[string]) {
	s, _ := stm.Query(ctx, v.Get)
	fmt.Println(s)
}
