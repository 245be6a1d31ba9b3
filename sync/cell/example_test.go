package cell_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/cell"
	"github.com/synodkit/synod/sync/prop"
)

// An MVar is a value that one task at a time has.
func ExampleMVar() {
	ctx := context.Background()
	counter := cell.NewFullMVar(0)
	_ = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for range 10 {
			s.Go("count", func(ctx context.Context) error {
				n, err := prop.Recv(ctx, counter)
				if err != nil {
					return err
				}
				_, err = prop.Send(ctx, counter, n+1)
				return err
			})
		}
		return nil
	})
	fmt.Println(stm.Atomically(ctx, counter.Read))
	// Output: 10 <nil>
}

func ExamplePromise() {
	ctx := context.Background()
	kept, broken := cell.NewPromise[int](), cell.NewPromise[int]()
	_ = kept.Fulfil(ctx, func(context.Context) (int, error) { return 42, nil })
	_ = broken.Fulfil(ctx, func(context.Context) (int, error) { return 0, errors.New("no answer") })
	fmt.Println(stm.Atomically(ctx, kept.Await))
	fmt.Println(stm.Atomically(ctx, kept.Await))
	fmt.Println(stm.Atomically(ctx, broken.Await))
	// Output:
	// 42 <nil>
	// 42 <nil>
	// 0 no answer
}

// Whoever reads a Watch sees the newest value that he has not seen, and always the last.
func ExampleWatch() {
	ctx := context.Background()
	w := cell.NewWatch("starting")
	r := w.Reader()
	fmt.Println(prop.Recv(ctx, r))
	for _, v := range []string{"syncing", "synced", "stopping", "stopped"} {
		_, _ = prop.Send(ctx, w, v)
	}
	_ = stm.Do(ctx, func(tx *stm.Tx) error { w.Close(tx); return nil })
	for v := range prop.All(ctx, r) {
		fmt.Println(v)
	}
	// Output:
	// starting <nil>
	// stopped
}

// Announcements of a peer's tip: the newest is enough, and each peer has its turn.
func ExampleMailbox() {
	type tip struct {
		peer   string
		height int
	}
	ctx := context.Background()
	m := cell.NewMailbox(100, func(t tip) string { return t.peer }, func(old, new tip) tip { return new })
	for _, t := range []tip{{"a", 1}, {"b", 1}, {"a", 2}, {"a", 3}} {
		_, _ = prop.Send(ctx, m, t)
	}
	fmt.Println(prop.Batch(ctx, m, 9))
	// Output: [{a 3} {b 1}] <nil>
}

// Work on one key never overlaps, and what comes meanwhile is not forgotten.
func ExampleMailbox_Work() {
	ctx := context.Background()
	m := cell.NewMailbox(100, func(v string) string { return v[:1] }, func(old, new string) string { return new })
	_, _ = prop.Send(ctx, m, "a1")
	for range 2 {
		_ = m.Work(ctx, func(ctx context.Context, v string) error {
			fmt.Println(v)
			if v == "a1" {
				_, _ = prop.Send(ctx, m, "a2")
				fmt.Println(stm.Atomically(ctx, func(tx *stm.Tx) (string, error) {
					return stm.Select(tx, m.Take, func(*stm.Tx) (string, error) { return "nothing to take", nil })
				}))
			}
			return nil
		})
	}
	// Output:
	// a1
	// nothing to take <nil>
	// a2
}
