package logsink

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

type hash [2]byte

func (h hash) String() string { return "h:" + string(h[:]) }

type place struct {
	Slot uint64
	Hash hash
}

type blockAdded struct {
	place
	Size    int
	Took    time.Duration
	Err     error
	Peer    *peer
	Note    string `log:"remark,omitempty"`
	Secret  string `log:"-"`
	private int
}

type peer struct{}

func (p *peer) String() string { return "peer" }

type leveled struct{ N int }

func (leveled) Level() slog.Level { return slog.LevelDebug }
func (leveled) Message() string   { return "one of them" }

type valued struct{ a, b int }

func (v valued) LogValue() slog.Value { return slog.GroupValue(slog.Int("sum", v.a+v.b)) }

type named string

type single struct{}

func (single) LogValue() slog.Value { return slog.StringValue("alone") }

type Height int

type Origin struct{ Host string }

type nested struct {
	Height
	Origin `log:"from"`
	At     Origin
	Dash   int `log:"-"`
}

func text(b *bytes.Buffer, level slog.Level) slog.Handler {
	return slog.NewTextHandler(b, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
}

func TestRendering(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name string
		emit func(h slog.Handler)
		want string
	}{
		{"fields", func(h slog.Handler) {
			To[blockAdded](h, "chain").Emit(ctx, blockAdded{place: place{7, hash{'a', 'b'}}, Size: 3, Took: time.Second, Secret: "s"})
		}, `level=INFO msg="block added" component=chain slot=7 hash=h:ab size=3 took=1s err=<nil> peer=<nil>`},
		{"error", func(h slog.Handler) {
			To[blockAdded](h, "").Emit(ctx, blockAdded{Err: errors.New("no"), Peer: &peer{}, Note: "x"})
		}, `level=ERROR msg="block added" slot=0 hash="h:\x00\x00" size=0 took=0s err=no peer=peer remark=x`},
		{"methods", func(h slog.Handler) { To[leveled](h, "c").Emit(ctx, leveled{4}) }, `level=DEBUG msg="one of them" component=c n=4`},
		{"LogValuer", func(h slog.Handler) { To[valued](h, "c").Emit(ctx, valued{1, 2}) }, `level=INFO msg=valued component=c sum=3`},
		{"LogValuer of one value", func(h slog.Handler) { To[single](h, "c").Emit(ctx, single{}) }, `level=INFO msg=single component=c event=alone`},
		{"embedded", func(h slog.Handler) {
			To[nested](h, "c").Emit(ctx, nested{3, Origin{"a"}, Origin{"b"}, 7})
		}, `level=INFO msg=nested component=c height=3 from={Host:a} at={Host:b}`},
		{"no struct", func(h slog.Handler) { To[named](h, "c").Emit(ctx, "x") }, `level=INFO msg=named component=c event=x`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			c.emit(text(&b, slog.LevelDebug))
			require.Equal(t, c.want+"\n", b.String())
		})
	}
}

// What slog has a kind for keeps it, though it is a Stringer too.
func TestKinds(t *testing.T) {
	require.Equal(t, slog.KindDuration, value(reflect.ValueOf(time.Second)).Kind())
	require.Equal(t, slog.KindTime, value(reflect.ValueOf(time.Unix(0, 0))).Kind())
	require.Equal(t, slog.KindString, value(reflect.ValueOf(hash{})).Kind())
}

func TestDisabledLevelRendersNothing(t *testing.T) {
	var b bytes.Buffer
	tr := To[leveled](text(&b, slog.LevelInfo), "c")
	tr.Emit(context.Background(), leveled{})
	require.Zero(t, b.Len())
	require.Nil(t, To[leveled](nil, "c"))
}

func TestScopePath(t *testing.T) {
	var b bytes.Buffer
	tr := To[leveled](text(&b, slog.LevelDebug), "c")
	require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		s.Go("worker", func(ctx context.Context) error {
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				tr.Emit(ctx, leveled{})
				return nil
			}, registry.WithName("inner"))
		})
		return nil
	}, registry.WithName("root")))
	require.Equal(t, "level=DEBUG msg=\"one of them\" component=c scope=root/worker/inner n=0\n", b.String())
}

// The time of a record is the world's: two runs of a simulation log the same bytes.
func TestSimulatedTime(t *testing.T) {
	run := func() string {
		var b bytes.Buffer
		tr := To[leveled](slog.NewJSONHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug}), "c")
		r := sim.Run(1, func(ctx context.Context) error {
			tr.Emit(ctx, leveled{1})
			err := env.Sleep(ctx, time.Hour)
			tr.Emit(ctx, leveled{2})
			return err
		})
		require.NoError(t, r.Err)
		return b.String()
	}
	first := run()
	require.Contains(t, first, "01:00:00")
	require.Equal(t, first, run())
}

func TestWords(t *testing.T) {
	for in, want := range map[string]string{"BlockAdded": "block added", "HTTPServer": "http server", "event": "event", "": "event", "PeerID": "peer id"} {
		require.Equal(t, want, words(in))
	}
	for in, want := range map[string]string{"Slot": "slot", "BlockNo": "blockNo", "ID": "id", "X": "x"} {
		require.Equal(t, want, lowered(in))
	}
}

func BenchmarkTo(b *testing.B) {
	for _, c := range []struct {
		name string
		h    slog.Handler
	}{{"off", nil}, {"disabled", slog.DiscardHandler}} {
		b.Run("handler="+c.name, func(b *testing.B) {
			b.ReportAllocs()
			tr := To[blockAdded](c.h, "c")
			for b.Loop() {
				tr.Emit(context.Background(), blockAdded{Size: 1})
			}
		})
	}
}
