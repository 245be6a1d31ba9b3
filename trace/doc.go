// Package trace carries what happened inside a component to whoever wants to know: logs, metrics, spans, a dashboard,
// or a test. A component emits concrete event structs into a [Tracer]; it never writes strings, and it knows no sink.
// Do not use it for control flow: nothing may depend on an event being seen.
//
// # Concepts
//
// A Tracer is contravariant in its event, as contra-tracer's are: [Contramap] turns a tracer of a general event into one
// of a special event, [Filter] and [Sample] let some events through, [Tee] sends to several. Off is nil, and every
// combinator over nil is nil, so that a pipeline nobody listens to vanishes. A component has one Tracer field per kind
// of event, grouped in its own struct if there are many.
//
//	type BlockAdded struct { Slot uint64; Size int }
//	type Config struct { Added trace.Tracer[BlockAdded] }   // the zero value is off
//	cfg.Added.Emit(ctx, BlockAdded{Slot: 7, Size: 512})
//
// # Cost
//
// Off: no allocation and at most a nanosecond over an empty call (BenchmarkEmit prints both). That holds because the
// event type is a concrete struct: an event passed as an interface is allocated before the tracer can look whether it is
// off. Arguments are still evaluated; guard expensive ones with [Tracer.On].
//
// # Concurrency
//
// A Tracer may be called from any task; what the combinators add is safe for that, and a sink must be. A tracer runs on
// the task that emits, so it must be quick, must not wait, and must not start transactions of its own. Never emit inside a
// transaction body, which may run many times: use stm.Tx.OnCommit. In a simulation a tracer that does not touch the
// world leaves the schedule as it is.
//
// # Testing
//
// [Recorder] keeps events for a test to look at. It is bounded.
//
// # Sources
//
// contra-tracer (IOHK); the measurements that led to concrete events stand in BenchmarkEmit.
package trace
