package stm_test

import "fmt"

// How many wait in the rows where many do.
const (
	manyWaiters  = 10_000
	shortWaiters = 100
)

// against makes a row of ours and a peer.
func against(name string, impls []impl, peer string, must, aim float64) row {
	return row{name: name, ours: named(impls, "synod"), peer: named(impls, peer), must: must, aim: aim}
}

// free is a row whose transactions may not allocate.
func free(r row) row { r.free = true; return r }

// faster is a row that must be so many times faster than anacrolix/stm.
func faster(name string, impls []impl, times float64) row {
	r := against(name+" over anacrolix", impls, "anacrolix", times, 0)
	r.faster = true
	return r
}

// scaling is the throughput of two goroutines over that of one.
func scaling(name string, impls func(goroutines int) []impl, who string, must, aim float64) row {
	two, one := named(impls(2), who), named(impls(1), who)
	one.name = "itself, 1 goroutine"
	return row{name: name, ours: two, peer: one, must: must, aim: aim, faster: true}
}

// rows is the table. The bars are those of the issue that asked for it.
func rows(waiters int) []row {
	parked := fmt.Sprint("PingPong/parked=", waiters)
	woken := fmt.Sprint("Broadcast/waiters=", waiters)
	none := named(selects(false), "synod")
	none.name = "itself, left=none"
	all := []row{
		free(against("ReadOnly/vars=1", readOnly(1), "rwmutex", 2.5, 2)),
		free(against("ReadOnly/vars=4", readOnly(4), "rwmutex", 3.5, 2.5)),
		free(against("ReadOnly/vars=16", readOnly(16), "rwmutex", 8, 5)),
		free(against("ReadWrite/vars=1", readWrite(1), "mutex", 5, 3.5)),
		free(against("ReadWrite/vars=2", readWrite(2), "mutex", 6, 4.5)),
		free(against("ReadWrite/vars=8", readWrite(8), "mutex", 14, 10)),
		against("HotCounter/goroutines=2", hotCounter(2), "mutex", 8, 5),
		against("HotCounter/goroutines=8", hotCounter(8), "mutex", 4, 3),
		scaling("Disjoint/goroutines=2, throughput", disjoint, "synod", 1.6, 1.9),
		against("Transfer/accounts=64", transfer(64), "mutex", 6, 5),
		against("Audit/accounts=64", audit(64), "mutex", 20, 12),
		against("Queue/producers=4", queues(4), "channel", 6, 4),
		against("PingPong/parked=0", pingPong(0), "channel", 3.5, 2),
		against(parked, pingPong(waiters), "channel", 3.5, 2),
		against(woken, broadcast(waiters), "channel", 3, 2),
		free(row{name: "Select/left=retry", ours: named(selects(true), "synod"), peer: none, must: 1.5, aim: 1.2}),

		faster("ReadOnly/vars=1", readOnly(1), 25),
		faster("ReadOnly/vars=4", readOnly(4), 25),
		faster("ReadOnly/vars=16", readOnly(16), 25),
		faster("ReadWrite/vars=1", readWrite(1), 25),
		faster("ReadWrite/vars=2", readWrite(2), 25),
		faster("ReadWrite/vars=8", readWrite(8), 25),
		faster("HotCounter/goroutines=2", hotCounter(2), 25),
		faster("HotCounter/goroutines=8", hotCounter(8), 25),
		faster("Disjoint/goroutines=2", disjoint(2), 25),
		faster("Transfer/accounts=64", transfer(64), 25),
		faster("Audit/accounts=64", audit(64), 25),
		faster("Select/left=retry", selects(true), 25),
		faster("Queue/producers=4", queues(4), 6),
		faster("PingPong/parked=0", pingPong(0), 6),
		faster(parked, pingPong(waiters), 6),
		faster(woken, broadcast(waiters), 1),
	}
	return append(all, published(waiters)...)
}

// published is what has no bar: controls, curves, the seam, and where others are better.
func published(waiters int) []row {
	all := []row{
		scaling("control: disjoint mutexes, throughput", disjoint, "mutex", 0, 0),
		scaling("MapSet/goroutines=2, throughput", mapSet, "synod", 0, 0),
		scaling("MapSet of a sync.Map, throughput", mapSet, "plain", 0, 0),
		scaling("MapSet of a Trie in a Var, throughput", mapSet, "trie", 0, 0),
		against("MapSet/goroutines=2", mapSet(2), "plain", 0, 0),
		against("MapSet/goroutines=2, a locked map", mapSet(2), "mutex", 0, 0),
		scaling("TallyAdd/goroutines=2, throughput", tallyAdd, "synod", 0, 0),
		scaling("TallyAdd of one Var, throughput", tallyAdd, "plain", 0, 0),
		against("TallyAdd/goroutines=2, one Var", tallyAdd(2), "plain", 0, 0),
		against("PingPongCtx/parked=0", pingPongCtx(0), "channel", 0, 0),
		{name: "PingPongCtx/parked=0, Check", ours: named(pingPongCtx(0), "plain"), peer: named(pingPongCtx(0), "synod")},
		against("Queue/producers=1", queues(1), "channel", 0, 0),
		against("Queue/producers=4, conds", queues(4), "mutex", 0, 0),
		against("Broadcast, sync.Cond", broadcast(waiters), "mutex", 0, 0),
		against("Transfer, a mutex an account", transfer(64), "plain", 0, 0),
		against("Audit, a mutex an account", audit(64), "plain", 0, 0),
		against("Seam/ask=1, an empty loop", seamCost(), "plain", 0, 0),
	}
	for _, n := range sizes {
		all = append(all, against(fmt.Sprint("curve: ReadOnly/vars=", n), readOnly(n), "rwmutex", 0, 0))
	}
	for _, n := range sizes {
		all = append(all, against(fmt.Sprint("curve: ReadWrite/vars=", n), readWrite(n), "mutex", 0, 0))
	}
	for _, g := range crowds {
		all = append(all, against(fmt.Sprint("curve: HotCounter/goroutines=", g), hotCounter(g), "mutex", 0, 0))
	}
	for _, g := range crowds {
		all = append(all, against(fmt.Sprint("curve: Disjoint/goroutines=", g), disjoint(g), "mutex", 0, 0))
	}
	return append(all, losses()...)
}
