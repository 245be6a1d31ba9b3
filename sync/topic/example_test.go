package topic_test

import (
	"context"
	"fmt"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/topic"
)

func Example() {
	ctx := context.Background()
	news := topic.New[string](16)
	var quick, slow *topic.Subscription[string]
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		quick, slow = news.Subscribe(tx, 16), news.Subscribe(tx, 1)
		return nil
	})
	for _, v := range []string{"a", "b", "c"} {
		_, _ = prop.Send(ctx, news, v) // never waits
	}
	_ = stm.Do(ctx, func(tx *stm.Tx) error { news.Close(tx); return nil })
	for i := range prop.All(ctx, quick) {
		fmt.Println("quick:", i.Value)
	}
	for i := range prop.All(ctx, slow) {
		fmt.Println("slow:", i.Value, "after missing", i.Missed)
	}
	// Output:
	// quick: a
	// quick: b
	// quick: c
	// slow: c after missing 2
}

// Who subscribes and reads the state in one transaction sees every change since, and no other.
func ExampleTopic_Subscribe() {
	ctx := context.Background()
	height, blocks := stm.NewVar(7), topic.New[int](16)
	extend := func() {
		_ = stm.Do(ctx, func(tx *stm.Tx) error {
			height.Set(tx, height.Get(tx)+1)
			_, err := blocks.Put(tx, height.Get(tx))
			return err
		})
	}
	extend()
	var since int
	s, _ := stm.Query(ctx, func(tx *stm.Tx) *topic.Subscription[int] {
		since = height.Get(tx)
		return blocks.Subscribe(tx, 16)
	})
	extend()
	extend()
	fmt.Println(since)
	fmt.Println(prop.Batch(ctx, s, 9))
	// Output:
	// 8
	// [{9 0} {10 0}] <nil>
}

func ExampleSubscription_Rewind() {
	ctx := context.Background()
	news := topic.New[string](16)
	for _, v := range []string{"a", "b", "c"} {
		_, _ = prop.Send(ctx, news, v)
	}
	late, _ := stm.Query(ctx, func(tx *stm.Tx) *topic.Subscription[string] {
		s := news.Subscribe(tx, 16)
		s.Rewind(tx, 2)
		return s
	})
	fmt.Println(prop.Batch(ctx, late, 9))
	// Output: [{b 0} {c 0}] <nil>
}
