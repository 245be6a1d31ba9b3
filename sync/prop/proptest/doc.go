// Package proptest checks that a primitive keeps its Props. It is for tests only, of our own primitives and of whoever
// writes another: what has a Sink and a Source and passes it can stand wherever one of ours stands.
//
// # Concepts
//
// A [Kit] says how to make the primitive and, if its Props speak of values, keys or producers, what those are. From
// Props follows a naive model, a slice and a few ifs. Three checks compare with it:
//
//   - [Kit.Sequence]: one task; transactions of one or more operations, that commit, fail, lose a Select, or would wait.
//   - [Kit.Tasks]: several tasks that wait, are cancelled, and meet Close. Each operation notes itself in the transaction it
//     happens in, so the notes are the order of commits, and the model replays them.
//   - [Kit.Calls]: calls on real goroutines, noted by when they began and ended; a search finds an order that explains
//     what they returned, or the history is not linearizable.
//
// [Run] does all of them in both worlds. [Turns] checks that who waits first is served first.
//
// # Limits
//
// The model knows the properties that Props names, and nothing of performance. A check that finds nothing has tried what
// its size allows.
//
// # Sources
//
// Herlihy, Wing, Linearizability (1990); Wing, Gong, Testing and Verifying Concurrent Objects (1993), for the search.
package proptest
