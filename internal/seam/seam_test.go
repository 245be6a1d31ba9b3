package seam_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/seam"
)

// world is the least a Ctx needs: ids, effects and points.
type world struct {
	seam.World
	ids     uint32
	effects [][]uint32
	points  int
}

func (w *world) NewID() uint32         { w.ids++; return w.ids }
func (w *world) Effect(e *seam.Effect) { w.effects = append(w.effects, e.Writes) }
func (w *world) Point()                { w.points++ }

func onTask(f func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		seam.MarkTask()
		defer seam.UnmarkTask()
		f()
	})
	wg.Wait()
}

func TestProductionHasNoWorld(t *testing.T) {
	ctx := context.Background()
	require.Nil(t, seam.From(ctx))
	c, cancel := seam.WithCancel(ctx)
	boom := errors.New("boom")
	done := make(chan struct{})
	seam.AfterFunc(c, func() { close(done) })
	cancel(boom)
	<-done
	require.Equal(t, boom, context.Cause(c))
	c, stop := seam.WithTimeout(ctx, time.Hour)
	_, ok := c.Deadline()
	require.True(t, ok)
	stop()
	require.ErrorIs(t, c.Err(), context.Canceled)
}

func TestGuardMark(t *testing.T) {
	require.False(t, seam.OnTask())
	onTask(func() {
		if !seam.OnTask() || !seam.OnTask() {
			t.Error("the mark is lost")
		}
		seam.UnmarkTask()
		if seam.OnTask() {
			t.Error("the mark stays")
		}
	})
	require.False(t, seam.OnTask(), "the mark is one goroutine's")
}

func TestWorldsComeAndGo(t *testing.T) {
	require.False(t, seam.Running())
	n := seam.NextNum()
	require.False(t, seam.Alive(n))
	leave := seam.Enter(n)
	require.True(t, seam.Running())
	require.True(t, seam.Alive(n))
	w := new(world)
	ctx := context.WithValue(seam.Root(w), t, 1)
	require.Same(t, w, seam.From(ctx))
	require.Nil(t, seam.From(context.Background()))
	onTask(func() {
		defer func() {
			if recover() == nil {
				t.Error("a context without a world on a task")
			}
		}()
		seam.From(context.Background())
	})
	leave()
	leave()
	require.False(t, seam.Running())
	require.Nil(t, seam.From(ctx))
}

func TestCtxOrder(t *testing.T) {
	defer seam.Enter(seam.NextNum())()
	w := new(world)
	root := seam.Root(w)
	c, cancel := seam.WithCancel(root)
	var order []int
	for i := range 3 {
		seam.AfterFunc(c, func() { order = append(order, i) })
	}
	child, _ := seam.WithCancel(context.WithoutCancel(c))
	grandchild, _ := seam.WithCancel(c)
	own, same := seam.Own(c)
	require.Same(t, c, own)
	require.True(t, same)
	cancel(nil)
	cancel(nil)
	require.Equal(t, []int{0, 1, 2}, order)
	require.Equal(t, 1, w.points, "cancelling is one step")
	require.Equal(t, [][]uint32{{2}, {4}}, w.effects, "which writes the contexts that end")
	require.NoError(t, child.Err())
	require.ErrorIs(t, grandchild.Err(), context.Canceled)
	root.End(errors.New("over"))
	require.EqualError(t, context.Cause(root), "over")
}

func TestCauseThatIsADeadlineError(t *testing.T) {
	defer seam.Enter(seam.NextNum())()
	c, cancel := seam.WithCancel(seam.Root(new(world)))
	cancel(context.DeadlineExceeded)
	require.Equal(t, context.Canceled, c.Err())
	require.Equal(t, context.DeadlineExceeded, context.Cause(c))
}

func TestKill(t *testing.T) {
	require.True(t, seam.IsKill(seam.Kill{}))
	require.False(t, seam.IsKill(nil))
	require.False(t, seam.IsKill("x"))
}
