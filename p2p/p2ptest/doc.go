// Package p2ptest holds what tests of sessions need: a pipe, the conformance suite of p2p.Stream, and a hostile peer for any protocol table. Only
// tests import it.
//
// # Concepts
//
// [StreamCases] is what every transport's streams promise; [StreamSuite] runs it in production, and under sim.Run a
// test runs the same cases itself. [HostileSuite] takes a protocol table and one sample of each message, leads a victim into each
// state of the table, in both roles, and does there everything that a peer may not do, by the table's limits, its messages and its rules; it asserts the kind of the violation, the
// bytes that it took to notice, the memory it cost, and that a session beside it goes on. [Canonical] is the property that every message's
// decoder has, for fuzz targets.
package p2ptest
