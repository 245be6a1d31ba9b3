package tail

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/protogen/gen"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

func TestGenerated(t *testing.T) {
	files, err := gen.Files(Protocol(), gen.Config{Package: "tail"})
	require.NoError(t, errors.Join(err, gen.Check(".", files)))
}

func samples() []table.Message {
	return []table.Message{&MsgMore{From: 1, Max: 2}, &MsgLines{Lines: []string{"a"}}, &MsgWait{}, &MsgBye{}}
}

func TestHostile(t *testing.T) { p2ptest.HostileSuite(t, Protocol(), samples()...) }

func TestGolden(t *testing.T) {
	for i, want := range []string{"0000000400820102", "000000050181816161", "0000000102", "0000000103"} {
		require.Equal(t, want, hex.EncodeToString(p2ptest.FrameOf(samples()[i])))
	}
}

func FuzzMessages(f *testing.F) {
	for _, m := range samples() {
		f.Add(m.Tag(), p2ptest.FrameOf(m)[5:])
	}
	f.Fuzz(func(t *testing.T, tag byte, body []byte) {
		for _, spec := range Protocol().Messages {
			if spec.Tag == tag {
				require.NoError(t, p2ptest.Canonical(spec.New(), body))
			}
		}
	})
}

// Every line comes, once, in order, however many are written while others are read.
func TestEveryLineComes(t *testing.T) {
	const lines = 500
	for seed := range uint64(20) {
		rep := sim.Run(seed, func(ctx context.Context) error {
			mine, theirs := p2ptest.Pipe(ctx)
			log, seen := NewLog(), 0
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				s.Go("serve", func(ctx context.Context) error { return Serve(ctx, p2p.Conn{Stream: theirs}, log) })
				s.Go("write", func(ctx context.Context) error {
					for i := range lines {
						if err := stm.Do(ctx, func(tx *stm.Tx) error { return log.Append(tx, fmt.Sprint(i)) }); err != nil {
							return err
						}
					}
					return nil
				})
				err := Follow(ctx, p2p.Conn{Stream: mine}, 0, func(line string) bool {
					if line != fmt.Sprint(seen) {
						t.Errorf("line %d is %q", seen, line)
					}
					seen++
					return seen < lines
				})
				return err
			})
		})
		require.NoError(t, rep.Err, "seed %d", seed)
	}
}

// Who sends more than was asked for, or nothing, breaks a rule of the table.
func TestTooManyAndNoLines(t *testing.T) {
	for n, want := range map[int]string{0: "len(Lines) is 0, of 1 to 64", linesMax + 1: "len(Lines) is 65, of 1 to 64", 3: "len(Lines) is 3, at most asked, which is 2"} {
		rep := sim.Run(1, func(ctx context.Context) error {
			mine, theirs := p2ptest.Pipe(ctx)
			_, err := theirs.Write(p2ptest.FrameOf(&MsgLines{Lines: make([]string, n)}))
			idle, _ := NewInitiator(ctx, p2p.Conn{Stream: mine})
			busy, err2 := idle.More(&MsgMore{Max: 2})
			_, broken := busy.Recv()
			var v *p2p.Violation
			require.ErrorAs(t, broken, &v)
			require.Equal(t, p2p.Invalid, v.Kind)
			require.ErrorContains(t, v, want)
			return errors.Join(err, err2)
		})
		require.NoError(t, rep.Err)
	}
	require.Error(t, stm.Do(t.Context(), func(tx *stm.Tx) error { return NewLog().Append(tx, strings.Repeat("x", lineBytesMax+1)) }))
}

// A program that takes a step which the protocol does not have does not compile. Each line of testdata/wrong that is wrong says with what error.
func TestWrongProgramsDoNotCompile(t *testing.T) {
	out, err := exec.Command("go", "build", "-gcflags=-e", "-o", os.DevNull, "./testdata/wrong").CombinedOutput()
	require.Error(t, err, "the wrong programs compile")
	text, err := os.ReadFile("testdata/wrong/wrong.go")
	require.NoError(t, err)
	wants, n := regexp.MustCompile("// error: (.*)$"), 0
	for i, line := range strings.Split(string(text), "\n") {
		said := regexp.MustCompile(fmt.Sprintf(`(?m)wrong\.go:%d:\d+: (.*)$`, i+1)).FindAllStringSubmatch(string(out), -1)
		want := wants.FindStringSubmatch(line)
		if want == nil {
			require.Empty(t, said, "line %d is right", i+1)
			continue
		}
		n++
		require.Len(t, said, 1, "line %d: %s\n%s", i+1, line, out)
		require.Contains(t, said[0][1], want[1])
	}
	require.GreaterOrEqual(t, n, 10)
}
