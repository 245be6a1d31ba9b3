package main

import (
	"fmt"
	"strings"
)

// The rules. doc.go has the contract of each.
const (
	ruleChannel = "channel"
	ruleLock    = "lock"
	ruleGo      = "go"
	ruleIO      = "io"
	ruleTime    = "time"
	ruleRand    = "rand"
	ruleNested  = "nested"
	ruleWait    = "wait"
	ruleRerun   = "rerun"
	ruleEscape  = "escape"
	ruleExcuse  = "excuse"
)

// rules lists every rule with what it reports inside a body.
func rules() []struct{ name, holds string } {
	return []struct{ name, holds string }{
		{ruleChannel, "send, receive, close, select, a range over a channel"},
		{ruleLock, "methods of sync's Mutex, RWMutex, WaitGroup, Cond and Once, and of semaphores"},
		{ruleGo, "go statements, timers' functions, tasks and resources of package registry"},
		{ruleIO, "files, sockets, processes, HTTP, databases, printing, logging"},
		{ruleTime, "the clock, sleeping, timers, deadlines"},
		{ruleRand, "randomness"},
		{ruleNested, "another transaction, Var.Load"},
		{ruleWait, "a call of the toolkit that takes a context instead of the transaction"},
		{ruleRerun, "a write to a captured variable that depends on what it held, so that a rerun doubles it"},
		{ruleEscape, "a *stm.Tx that is stored, returned, sent, or captured by what outlives the body"},
		{ruleExcuse, "a //stmvet:ok without a reason, or with nothing to excuse"},
	}
}

// summary is the list of rules as text.
func summary() string {
	var b strings.Builder
	for _, r := range rules() {
		fmt.Fprintf(&b, "%-8s %s\n", r.name, r.holds)
	}
	return b.String()
}

// What to write instead, by rule, where the table of calls says nothing better.
func instead(rule string) string {
	switch rule {
	case ruleChannel:
		return "write a Var that the other side waits for, or do it after the transaction"
	case ruleLock:
		return "keep the state in a Var, and wait with tx.Check"
	case ruleGo:
		return "start it outside, on what the transaction returned"
	case ruleIO:
		return "do it before or after the transaction, or in tx.OnCommit"
	case ruleTime:
		return "env.Time(tx) is the time, env.Reached(tx, at) waits for it"
	case ruleRand:
		return "draw before the transaction, and capture the number"
	case ruleNested:
		return "call a function of this tx: a part is a func(tx *stm.Tx), and Var.Get(tx) reads"
	case ruleWait:
		return "a body waits with tx.Check; call it outside"
	}
	return ""
}
