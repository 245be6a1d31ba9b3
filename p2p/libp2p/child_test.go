package libp2p_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// A peer in a process of its own, the test binary again, so that it can be killed as a machine loses power: nothing is said to anybody.

const childEnv = "SYNOD_LIBP2P_TEST_CHILD"

// order is what the child is told to be.
type order struct {
	Key       byte
	Transport libp2p.Transport
	Listen    string
	Dial      string
}

// word is what it says, a line each.
type word struct {
	Addr      string // it listens
	Connected bool   // its dial has succeeded
	Lost      bool   // nobody is connected any more
	Asked     string // it has been asked, and done what it will do
	Err       string
}

// say writes a line at once.
func (w word) say() {
	line, _ := json.Marshal(w)
	_, _ = os.Stdout.Write(append(line, '\n'))
}

// askID is a protocol in which the child does as it is asked.
var askID = ask(table.Forever).ID()

func ask(limit time.Duration) *table.Protocol {
	return &table.Protocol{
		Name: "ask", Version: 1, Initial: "Idle",
		States: []table.State{
			{Name: "Idle", Agency: table.Initiator, BytesMax: 64, Timeout: table.Forever},
			{Name: "Busy", Agency: table.Responder, BytesMax: 64, Timeout: limit},
			{Name: "Done"},
		},
		Messages: []table.MessageSpec{
			{Tag: 0, Name: "Ask", From: []table.StateID{"Idle"}, To: "Busy", New: func() table.Message { return new(msgAsk) }},
			{Tag: 1, Name: "Tell", From: []table.StateID{"Busy"}, To: "Idle", New: func() table.Message { return new(msgTell) }},
			{Tag: 2, Name: "Bye", From: []table.StateID{"Idle"}, To: "Done", New: func() table.Message { return new(msgBye) }},
		},
	}
}

type text struct {
	_    struct{} `cbor:",toarray"`
	Text string
}

func (m *text) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }
func (m *text) ParseFrom(b []byte) error          { return table.ParseBody(b, m) }

type (
	msgAsk  struct{ text }
	msgTell struct{ text }
	msgBye  struct{ table.Empty }
)

func (*msgAsk) Tag() byte  { return 0 }
func (*msgTell) Tag() byte { return 1 }
func (*msgBye) Tag() byte  { return 2 }

// What the child can be asked for: its process id, nothing, half a frame.
const (
	askPID  = "pid"
	askNone = "nothing"
	askHalf = "half"
)

// childMain is the child's life: until its input ends.
func childMain() {
	var o order
	if err := json.Unmarshal([]byte(os.Getenv(childEnv)), &o); err != nil {
		panic(err)
	}
	ctx, stop := cancellable(context.Background())
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		h, err := registry.Acquire(s, "host", func(context.Context) (host.Host, error) {
			return libp2p.NewHost(libp2p.HostConfig{Key: key(o.Key), Transport: o.Transport, Listen: o.Listen})
		}, func(_ context.Context, h host.Host) error { return h.Close() })
		if err != nil {
			return err
		}
		n, err := libp2p.Bind(s, h.Value(), libp2p.Config{Protocols: []string{askID, echoID}})
		if err != nil {
			return err
		}
		s.Go("input", func(context.Context) error {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop(errDone)
			return nil
		})
		s.Go("serve", func(ctx context.Context) error { return serveAsk(ctx, s, n) })
		word{Addr: n.Addrs()[0]}.say()
		if o.Dial != "" {
			if _, err := n.Connect(ctx, o.Dial); err != nil {
				return err
			}
			word{Connected: true}.say()
		}
		for seen, err := range stm.Watch(ctx, func(tx *stm.Tx) int { return len(n.Connected(tx)) }) {
			if err != nil {
				return err
			}
			if o.Dial != "" && seen == 0 {
				word{Lost: true}.say()
			}
		}
		return nil
	})
	word{Err: fmt.Sprint(err)}.say()
}

func serveAsk(ctx context.Context, s *registry.Scope, n *libp2p.Network) error {
	for {
		in, err := n.Accept(ctx)
		if err != nil {
			return err
		}
		s.Go("serve", func(ctx context.Context) error {
			session := p2p.NewSession(ctx, ask(table.Forever), table.Responder, p2p.Conn{Peer: in.Peer, Stream: in.Stream})
			for {
				m, err := session.Recv()
				if err != nil {
					return nil
				}
				switch asked, _ := m.(*msgAsk); {
				case asked == nil:
					return session.Close(time.Second)
				case asked.Text == askPID:
					_ = session.Send(&msgTell{text{Text: fmt.Sprint(os.Getpid())}})
				case asked.Text == askHalf:
					_, _ = in.Stream.Write([]byte{0, 0, 0, 60, 1, 0x81})
					fallthrough
				default:
					word{Asked: asked.Text}.say()
					<-ctx.Done()
				}
			}
		})
	}
}

// child is a running one.
type child struct {
	cmd   *exec.Cmd
	words *stm.Var[[]word]
}

// spawn starts a child and waits until it listens.
func spawn(t testing.TB, ctx context.Context, s *registry.Scope, o order) *child {
	t.Helper()
	told, err := json.Marshal(o)
	require.NoError(t, err)
	c := &child{cmd: exec.Command(os.Args[0], "-test.run=^$"), words: stm.NewVar[[]word](nil)}
	c.cmd.Env = append(os.Environ(), childEnv+"="+string(told))
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	require.NoError(t, s.Daemon(ctx, "child", func(ctx context.Context, ready func()) error {
		defer in.Close()
		stop := env.AfterFunc(ctx, c.kill)
		defer stop()
		ready()
		return c.listen(out)
	}))
	c.says(t, ctx, func(w word) bool { return w.Addr != "" })
	return c
}

// listen keeps what the child says until it has ended.
func (c *child) listen(out io.Reader) error {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var w word
		if err := json.Unmarshal(lines.Bytes(), &w); err != nil {
			return fmt.Errorf("child says %q: %w", lines.Text(), err)
		}
		_ = stm.Do(context.Background(), func(tx *stm.Tx) error {
			said := c.words.Get(tx)
			c.words.Set(tx, append(said[:len(said):len(said)], w))
			return nil
		})
	}
	return nil
}

// says waits for a word, and fails at one that tells of an error.
func (c *child) says(t testing.TB, ctx context.Context, want func(word) bool) word {
	t.Helper()
	w, err := stm.Atomically(ctx, func(tx *stm.Tx) (word, error) {
		for _, w := range c.words.Get(tx) {
			if w.Err != "" || want(w) {
				return w, nil
			}
		}
		return word{}, stm.ErrRetry
	})
	require.NoError(t, err)
	require.Empty(t, w.Err, "the child has failed")
	return w
}

func (c *child) addr(t testing.TB, ctx context.Context) string {
	return c.says(t, ctx, func(w word) bool { return w.Addr != "" }).Addr
}

func (c *child) connected(t testing.TB, ctx context.Context) {
	c.says(t, ctx, func(w word) bool { return w.Connected })
}

func (c *child) asked(t testing.TB, ctx context.Context, what string) {
	c.says(t, ctx, func(w word) bool { return w.Asked == what })
}

func (c *child) pid() string { return fmt.Sprint(c.cmd.Process.Pid) }

// kill is SIGKILL. It may be called again.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}
