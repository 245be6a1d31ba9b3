package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"time"

	"github.com/synodkit/synod/stm"
)

// endMax is how long a process that was told to end may take.
const endMax = 5 * time.Second

// exit is how a process ended.
type exit struct {
	killed bool   // by SIGKILL
	how    string // for people
}

// process is one run of a program of which the first line on standard output says that it is ready. It ends when its standard input does, so it never outlives
// this process, whatever becomes of that.
type process struct {
	cmd   *exec.Cmd
	ready *stm.Var[*ready]
	ended *stm.Var[*exit]
	shot  atomic.Bool // by kill
}

// startProcess starts this program with other arguments. It is told to end when ctx ends. The caller calls wait. Stdout gets all lines but the first that says
// that a node listens.
func startProcess(ctx context.Context, args []string, stdout, stderr io.Writer) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{
		cmd:   exec.CommandContext(ctx, self, args...),
		ready: stm.NewVar[*ready](nil).Label("process.ready"),
		ended: stm.NewVar[*exit](nil).Label("process.ended"),
	}
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	shield := context.WithoutCancel(ctx)
	p.cmd.Cancel, p.cmd.WaitDelay = stdin.Close, endMax
	p.cmd.Stderr = stderr
	p.cmd.Stdout = &lineWriter{each: func(line []byte) {
		if !p.hear(shield, line) {
			fmt.Fprintf(stdout, "%s\n", line)
		}
	}}
	p.cmd.SysProcAttr = apart()
	return p, p.cmd.Start()
}

// hear takes the first line that is one of a node that listens, and reports whether this is it.
func (p *process) hear(ctx context.Context, line []byte) bool {
	var r ready
	if err := json.Unmarshal(line, &r); err != nil || r.HTTP == "" {
		return false
	}
	first, _ := stm.Query(ctx, func(tx *stm.Tx) bool { // cannot fail: it never waits
		if p.ready.Get(tx) != nil {
			return false
		}
		p.ready.Set(tx, &r)
		return true
	})
	return first
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// kill is SIGKILL.
func (p *process) kill() error {
	p.shot.Store(true)
	return p.cmd.Process.Kill()
}

// wait waits until the process has ended. It is an error only if the process ended otherwise than it was told to.
func (p *process) wait(ctx context.Context) (exit, error) {
	err := p.cmd.Wait()
	e := exit{killed: killed(p.cmd.ProcessState), how: "it was never started"}
	if p.cmd.ProcessState != nil {
		e.how = p.cmd.ProcessState.String()
	}
	_ = stm.Do(context.WithoutCancel(ctx), func(tx *stm.Tx) error { p.ended.Set(tx, &e); return nil }) // cannot fail: it never waits
	if ctx.Err() != nil && !p.shot.Load() && (e.killed || errors.Is(err, exec.ErrWaitDelay)) {
		return e, fmt.Errorf("the process did not end within %v", endMax)
	}
	return e, nil
}
