package ioeffects

import (
	"bufio"
	"context"
	"crypto/tls"
	"database/sql"
	"fmt"
	"io"
	"io/fs"
	"io/ioutil"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"kit/stm"
)

func bad(tx *stm.Tx, f *os.File, conn net.Conn, w http.ResponseWriter, l *slog.Logger, db *sql.DB) error {
	fmt.Println("x")             // want `fmt.Println in a transaction: do it before or after the transaction, or in tx.OnCommit \[io\]`
	println("x")                 // want `println in a transaction`
	fmt.Fprintln(os.Stderr, "x") // want `fmt.Fprintln`
	fmt.Fprintf(w, "x")          // want `fmt.Fprintf`
	io.WriteString(conn, "x")    // want `io.WriteString`
	os.Remove("x")               // want `os.Remove`
	f.Write(nil)                 // want `File.Write`
	conn.Read(nil)               // want `Conn.Read`
	w.WriteHeader(500)           // want `ResponseWriter.WriteHeader`
	net.Dial("tcp", "")          // want `net.Dial`
	http.Get("")                 // want `http.Get`
	http.DefaultClient.Do(nil)   // want `Client.Do`
	exec.Command("x").Run()      // want `Cmd.Run`
	log.Printf("x")              // want `log.Printf`
	log.Default().Println("x")   // want `Logger.Println`
	slog.Info("x")               // want `slog.Info`
	l.With("a", 1).Error("x")    // want `Logger.Error`
	_, err := db.Exec("x")       // want `DB.Exec`
	return err
}

func captured(ctx context.Context, w io.Writer, b *bufio.Writer, s *bufio.Scanner) {
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		fmt.Fprintln(w, "x")           // want `fmt.Fprintln`
		b.WriteString("x")             // want `Writer.WriteString`
		s.Scan()                       // want `Scanner.Scan`
		_, err := io.ReadAll(os.Stdin) // want `io.ReadAll`
		return err
	})
}

func more(tx *stm.Tx, fsys fs.FS, l net.Listener, c *tls.Conn) {
	signal.Ignore()        // want `signal.Ignore`
	syscall.Kill(1, 1)     // want `syscall.Kill`
	filepath.Glob("x")     // want `filepath.Glob`
	ioutil.ReadFile("x")   // want `ioutil.ReadFile`
	fsys.Open("x")         // want `FS.Open`
	fs.ReadFile(fsys, "x") // want `fs.ReadFile`
	l.Accept()             // want `Listener.Accept`
	c.Handshake()          // want `Conn.Handshake`
}
