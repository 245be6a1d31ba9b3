// Command stmvet reports what does not belong into a transaction body. A body may run several times and be undone, and
// only Vars are undone with it: whatever else it does is done again, or is not taken back. It is for code that uses
// package stm; it knows nothing of other transactional memories, and does not replace -race or a test.
//
//	go build -o .bin/stmvet ./stm/stmvet
//	go vet -vettool=.bin/stmvet ./...
//
// The program also takes packages itself: stmvet ./...
//
// # Bodies
//
// A body is a function, method or literal that has a *stm.Tx among its parameters. Functions inside it that are called,
// deferred or passed on are part of it; those that are returned, stored or started run at another time and are not looked
// at, those given to Tx.OnCommit run once and may do anything but use the Tx. A function of the same package that takes
// no Tx is followed where a body calls it, to any depth, for all rules up to wait.
//
// # Rules
//
// A message says what to write instead and ends with the name of its rule.
//
//   - channel: send, receive, close, select, range over a channel. A Var is what another task waits for.
//   - lock: methods of sync.Mutex, RWMutex, WaitGroup, Cond, Once, and of the locks in golang.org/x/sync.
//   - go: go statements; tasks, scopes and resources of package registry; errgroup and WaitGroup.Go.
//   - io: files, sockets, processes, HTTP, databases, printing, logging. A writer in memory is fine, and so is one that is
//     a parameter of the body, unless its type says that it is a file, a connection or a response.
//   - time: the clock, sleeping, timers, deadlines. In a body env.Time and env.Reached are these.
//   - rand: math/rand, crypto/rand, env.Rand and env.Choose; not a generator that the body has made from a seed.
//   - nested: stm.Atomically, Do, Query, Watch, Poll, Var.Load, and what begins a transaction of its own.
//   - wait: a function of a package beside stm that takes a context and no Tx: it may block, or begin a transaction.
//   - rerun: a change of a captured variable that depends on what it held: x = append(x, ...), x++, x += ..., x = f(x),
//     m[k] = ... and delete(m, k) if another run may choose another k, an atomic's Add, a write to a captured buffer. So
//     does a change of another field by the method of a struct that has Vars. Plain assignment is how a body gives
//     results, and what it has assigned on every way there (x = x[:0], x = nil, clear(m), b.Reset()) it may then add to.
//     A counter named runs, attempts or tries counts the runs, and may.
//   - escape: a Tx that is returned, sent, put into a struct, a global or a captured variable, given to another goroutine,
//     or used in a function of which one of these is true, or that is given to OnCommit. An iterator, func(yield func(...)
//     bool), may be returned: it is ranged over where it was asked for.
//   - excuse: an excuse without a reason, or with nothing to excuse.
//
// # Excuses
//
//	fmt.Println("run") //stmvet:ok shows that a body runs again
//
// excuses its line; alone on a line, the next one. In a function without a Tx it stands at the effect, not at the calls.
//
// # Limits
//
// It prefers to miss something over reporting what is right, and so does not see: effects behind interfaces, function
// values and other packages (but those it has a list of); what is reached through a local alias of a captured pointer, or
// through a parameter; a variable of the body that an undone alternative of OrElse or Select has changed; stored functions
// that the body calls later; a value that is changed after it was Set; an OnCommit function that sends. Package stm itself
// is not looked at. stm is known by the last element of its path and by what it declares, so a fork or a vendored copy is
// checked like the original.
package main
