package main

import (
	"fmt"
	"go/types"
	"strings"
)

// table is what is known of functions and methods: a rule, a package, names, and after a colon what to do instead.
//
// ~/p is the package p beside stm. A name ending in * is a prefix. T.F is a method, F a function. -F takes F out of
// its line. ^T.F counts only if the receiver, and ^F only if the first argument, belongs to somebody outside the body.
//
// Three of the rules report nothing: "later" keeps its argument, "commit" runs it after the commit, "pure" is fine.
const table = `
nested  ~/stm        Atomically Do Query Watch Poll
nested  ~/stm        Var.Load : Var.Get(tx) reads
nested  ~/env        Timer.Stop : stop it outside, or let its instant pass
commit  ~/stm        Tx.OnCommit
later   ~/stm        NewVar Var.Set

time    time         Now Since Until : env.Time(tx) is one instant for the whole run
time    time         Sleep After AfterFunc Tick NewTimer NewTicker Timer.* Ticker.* : wait with tx.Check(env.Reached(tx, at))
time    context      WithTimeout* WithDeadline* AfterFunc : wait with tx.Check(env.Reached(tx, at))
time    ~/env        Now Clock.Now Clock.Elapsed : env.Time(tx) is one instant for the whole run
time    ~/env        Sleep NewTimer WithTimeout AfterFunc : wait with tx.Check(env.Reached(tx, at))

rand    math/rand    * -New -NewSource -NewZipf ^Rand.*
rand    math/rand/v2 * -New -NewPCG -NewChaCha8 -NewZipf ^Rand.* ^PCG.* ^ChaCha8.*
rand    crypto/rand  *
rand    ~/env        Rand Choose

lock    sync         Mutex.* RWMutex.* WaitGroup.* -WaitGroup.Go Cond.* Once.* Locker.*
lock    golang.org/x/sync/semaphore    Weighted.*
lock    golang.org/x/sync/singleflight Group.*
lock    golang.org/x/sync/errgroup     Group.Wait
later   sync         OnceFunc OnceValue OnceValues

go      sync         WaitGroup.Go
go      golang.org/x/sync/errgroup     Group.Go Group.TryGo
go      ~/registry   Run Fork Acquire Supervise Scope.Go Scope.Daemon Handle.Release Handle.Move
later   testing      common.Cleanup TB.Cleanup

io      os           * -IsExist -IsNotExist -IsPermission -IsTimeout -IsPathSeparator -Expand -NewSyscallError -DirFS -Getpid -Getpagesize -TempDir
io      os           File.* -File.Name -File.Fd Process.* Root.* -Root.Name
io      os/exec      LookPath Cmd.Run Cmd.Start Cmd.Wait Cmd.Output Cmd.CombinedOutput Cmd.StdinPipe Cmd.StdoutPipe Cmd.StderrPipe
io      os/signal    *
io      syscall      Open Read Write Close Kill Exec ForkExec Exit
io      path/filepath Walk WalkDir Glob EvalSymlinks Abs
io      io/ioutil    ReadFile WriteFile ReadDir TempDir TempFile
io      io/fs        ReadFile ReadDir WalkDir Glob Stat FS.Open File.*
io      net          Dial* Listen* Lookup* Resolve* Interface* FileConn FileListener FilePacketConn Dialer.* Resolver.* ListenConfig.* -ListenConfig.MultipathTCP -ListenConfig.SetMultipathTCP -Dialer.MultipathTCP -Dialer.SetMultipathTCP
io      net          Conn.* -Conn.LocalAddr -Conn.RemoteAddr Listener.* -Listener.Addr PacketConn.* -PacketConn.LocalAddr TCPConn.* UDPConn.* UnixConn.* TCPListener.* -TCPListener.Addr
io      net/http     Get Head Post PostForm ListenAndServe* Serve* Error Redirect NotFound Client.* Server.* Transport.RoundTrip RoundTripper.* ResponseWriter.* -ResponseWriter.Header Handler.* HandlerFunc.* ServeMux.ServeHTTP
io      crypto/tls   Dial Listen Conn.* -Conn.ConnectionState -Conn.LocalAddr -Conn.RemoteAddr
io      database/sql DB.* Tx.* Stmt.* Conn.* Rows.* Row.Scan
io      fmt          Print* Scan Scanf Scanln
io      fmt          ^Fprint* ^Fscan*
io      io           ^Copy ^CopyN ^CopyBuffer ^WriteString ^ReadAll ^ReadFull ^ReadAtLeast
io      log          Print* Fatal* Panic* Output Logger.Print* Logger.Fatal* Logger.Panic* Logger.Output
io      log/slog     Debug* Info* Warn* Error* Log* Logger.Debug* Logger.Info* Logger.Warn* Logger.Error* Logger.Log*
io      bufio        ^Writer.Write* ^Writer.Flush ^Writer.ReadFrom ^Reader.Read* ^Reader.Discard ^Reader.WriteTo ^Scanner.Scan

rerun   sync/atomic  ^Add* ^Int32.Add ^Int64.Add ^Uint32.Add ^Uint64.Add ^Uintptr.Add
rerun   strings      ^Builder.Write*
rerun   bytes        ^Buffer.Write* ^Buffer.Read* ^Buffer.Next ^Buffer.Truncate
rerun   container/list ^List.Push* ^List.Insert* ^List.Remove ^List.Move*
rerun   container/heap ^Push ^Pop

pure    ~/env        ClockOf WithoutCancel WithFaults WithCancel WithCancelCause
pure    ~/registry   Path
`

// known is one line of the table.
type known struct {
	rule, instead string
	names         []string
}

// calls is the table, by package.
type calls map[string][]known

// parseTable reads the table. It panics on a line that is none: the text is a constant.
func parseTable(text string) calls {
	t := calls{}
	for line := range strings.Lines(text) {
		left, instead, _ := strings.Cut(strings.TrimSpace(line), " : ")
		f := strings.Fields(left)
		if len(f) == 0 {
			continue
		}
		if len(f) < 3 {
			panic(fmt.Sprintf("stmvet: table: %q", line))
		}
		t[f[1]] = append(t[f[1]], known{rule: f[0], instead: instead, names: f[2:]})
	}
	return t
}

// match finds what is known of a function. foreign says that it counts only if its subject comes from outside.
func (t calls) match(pkg, name string) (k known, foreign, ok bool) {
	for _, k := range t[pkg] {
		if foreign, ok := k.match(name); ok {
			return k, foreign, true
		}
	}
	return known{}, false, false
}

func (k known) match(name string) (foreign, ok bool) {
	for _, n := range k.names {
		out := strings.HasPrefix(n, "-")
		bare := strings.TrimLeft(n, "-^")
		prefix, wild := strings.CutSuffix(bare, "*")
		if bare != name && (!wild || !strings.HasPrefix(name, prefix) || strings.Contains(name[len(prefix):], ".")) {
			continue
		}
		if out {
			return false, false
		}
		foreign, ok = n[0] == '^', true
	}
	return foreign, ok
}

// nameOf is a function's name in the table: F, or T.F for a method.
func nameOf(f *types.Func) string {
	recv := f.Signature().Recv()
	if recv == nil {
		return f.Name()
	}
	if n := named(recv.Type()); n != nil {
		return n.Obj().Name() + "." + f.Name()
	}
	return ""
}

// named is the named type that t is, or points to.
func named(t types.Type) *types.Named {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	n, _ := types.Unalias(t).(*types.Named)
	return n
}
