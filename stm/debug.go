package stm

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// debugging is set while debug mode is on. Production asks for it only where a Tx is made, not where one is reused.
var debugging atomic.Pointer[debugger]

// Debug switches debug mode on for the whole process, until all who have switched it on have called stop. It is for
// tests; while it is off it costs nothing. On, transactions that begin are checked, and panic with the places if they
// are wrong:
//
//   - a Tx used after its function has returned; Get and Set on another goroutine;
//   - a transaction inside the body of another;
//   - a body that is not pure: each run is made twice on the same snapshot, the first time for trial, and must read and
//     write the same Vars, the same values, and end alike;
//   - Retry with nothing read, under a context that cannot end, which is found in any mode, but with the place;
//   - a value that has changed after the commit that has set it, or after somebody has got it: found at the next Get, or
//     Set of the same pointer.
//
// Values are compared by what can be reached from them, up to 64 KiB. Functions, channels, structs that hold something
// of sync or sync/atomic, and structs that point to a Var are passed over: they may change, by rules of their own.
func Debug() (stop func()) {
	for {
		d := debugging.Load()
		if d == nil {
			d = &debugger{bodies: map[string]*extraTx{}, frozen: map[*core][]frozen{}}
			d.users.Store(1)
			if !debugging.CompareAndSwap(nil, d) {
				continue
			}
			pool.vacate()
		} else if n := d.users.Load(); n == 0 || !d.users.CompareAndSwap(n, n+1) {
			continue
		}
		return sync.OnceFunc(func() {
			if d.users.Add(-1) == 0 {
				debugging.Store(nil)
			}
		})
	}
}

// debugger is debug mode.
type debugger struct {
	users  atomic.Int32
	mu     sync.Mutex
	bodies map[string]*extraTx // the goroutines that are in a body
	frozen map[*core][]frozen  // values that must stay as they are
	count  int                 // of frozen
}

// extraTx is what a special transaction has: a Model's, or one of debug mode.
type extraTx struct {
	model     *Model
	d         *debugger
	began     trail
	goroutine string
	pieces    [4]uintptr // of stack, known to be that goroutine's
	run       *look
}

// debugTx is a Tx whose bodies go through checked.
func debugTx() *Tx {
	tx := newTx()
	if d := debugging.Load(); d != nil {
		tx.extra = &extraTx{d: d, began: here()}
	}
	return tx
}

// checked is f with all that debug mode looks for.
func checked[T any](f func(*Tx) (T, error)) func(*Tx) (T, error) {
	return func(tx *Tx) (r T, err error) {
		x := tx.extra
		defer x.d.enter(x)()
		tx.makeSpecial(x)
		trial := x.try(tx, func(tx *Tx) (any, error) { r, err := f(tx); return r, err })
		x.run = newLook()
		returned := false
		defer func() {
			if tx.end == aborted || tx.end == finished && !returned {
				return // lost against another transaction; or a panic of the body's own
			}
			x.run.ends(r, err, tx.end == retried || isRetry(err))
			if wrong := x.judge(tx, trial); wrong != "" {
				tx.end = finished // so that the engine lets the panic pass
				panic("stm: " + wrong + "; " + x.origin())
			}
		}()
		r, err = f(tx)
		returned = true
		return r, err
	}
}

// try runs f for trial: what it writes is undone.
func (x *extraTx) try(tx *Tx, f func(*Tx) (any, error)) *look {
	x.run = newLook()
	s := tx.save()
	r, _, done, err := firstOf(tx, []func(*Tx) (any, error){f})
	tx.undoTo(s)
	x.run.ends(r, err, !done)
	return x.run
}

// judge says what is wrong with the run that ends, if anything is. What it has set is frozen once it commits.
func (x *extraTx) judge(tx *Tx, trial *look) string {
	run := x.run
	if d := run.differs(trial); d != "" {
		return "the body is not pure: " + d
	}
	if run.retried || run.err != "" {
		return ""
	}
	maps.DeleteFunc(run.writes, func(c *core, s setting) bool {
		e := tx.written(c)
		return c.kind == kindWord || e == nil || e.p != s.p // undone
	})
	if len(run.writes) > 0 {
		tx.OnCommit(func() { x.d.freeze(run.writes) })
	}
	return ""
}

// forever is what is said of a Retry that nothing can end.
func (tx *Tx) forever() string {
	const forever = "stm: Retry with nothing read would wait for ever"
	if tx.extra == nil || tx.extra.d == nil {
		return forever
	}
	return forever + "; " + tx.extra.origin()
}

// enter marks the goroutine as one that is in a body.
func (d *debugger) enter(x *extraTx) (leave func()) {
	if x.goroutine == "" {
		x.goroutine = goroutineID()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if outer := d.bodies[x.goroutine]; outer != nil {
		panic("stm: a transaction inside the body of another: " + x.origin() + ", the other at " + outer.began.String())
	}
	d.bodies[x.goroutine] = x
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.bodies, x.goroutine)
	}
}

func (x *extraTx) origin() string { return "the transaction began at " + x.began.String() }

const misuse = "stm: Tx used outside its function"

// misuse is what is said of a Tx that is used when it is over.
func (tx *Tx) misuse() string {
	if tx.extra == nil || tx.extra.d == nil {
		return misuse
	}
	return misuse + ", at " + here().String() + "; " + tx.extra.origin()
}

// here checks that x is used on its goroutine.
func (x *extraTx) here() {
	var on byte
	piece := uintptr(unsafe.Pointer(&on)) >> pieceBits
	if slices.Contains(x.pieces[:], piece) {
		return
	}
	if goroutineID() != x.goroutine {
		panic(misuse + ": on another goroutine, at " + here().String() + "; " + x.origin())
	}
	x.pieces[piece%uintptr(len(x.pieces))] = piece
}

// lookup is Get in a special transaction.
func (v *Var[T]) lookup(tx *Tx) T {
	x, c := tx.extra, &v.c
	if x.model != nil {
		return lookupIn(x.model, tx, v)
	}
	x.here()
	w, p := tx.read(c)
	r := decode[T](c.kind, w, p)
	x.run.reads[c] = true
	if own, ok := x.run.writes[c]; c.kind != kindWord && !(ok && own.p == p) {
		x.d.check(c, setting{p: p, value: r, at: here()}, true)
	}
	return r
}

// assign is Set in a special transaction.
func (v *Var[T]) assign(tx *Tx, r T) {
	x, c := tx.extra, &v.c
	if x.model == nil {
		x.here()
	} else {
		slotOf(x.model, v)
	}
	e := tx.writeTo(c)
	e.w, e.p = encode(c.kind, r)
	if x.model != nil {
		return
	}
	s := setting{p: e.p, value: r, at: here()}
	if c.kind == kindPtr {
		x.d.check(c, s, false)
	}
	x.run.writes[c] = s
}

// trail is the callers of something, to be named if need be.
type trail [12]uintptr

func here() (t trail) {
	runtime.Callers(2, t[:])
	return t
}

// String is the first place outside this package.
func (t trail) String() string {
	frames := runtime.CallersFrames(t[:])
	for {
		f, more := frames.Next()
		if !isEngine(f) || !more {
			return fmt.Sprint(filepath.Join(filepath.Base(filepath.Dir(f.File)), filepath.Base(f.File)), ":", f.Line)
		}
	}
}

// isEngine reports whether f is in this package, but for its tests.
func isEngine(f runtime.Frame) bool {
	return strings.HasPrefix(f.Function, reflect.TypeFor[core]().PkgPath()+".") && !strings.HasSuffix(f.File, "_test.go")
}

// goroutineID is the number of the running goroutine. It costs microseconds.
func goroutineID() string {
	var buf [32]byte
	id, _, _ := bytes.Cut(buf[len("goroutine "):runtime.Stack(buf[:], false)], []byte(" "))
	return string(id)
}
