// Package tidy holds the tests that keep the module in its house style. It reads
// the tree itself and knows nothing of what the code does; it is no linter to run
// on other projects, and no program: `go test ./internal/tidy` is its only use.
//
// # Concepts
//
// A Tree is every Go file of the module, parsed once. A Rule looks at packages,
// files or syntax nodes and reports Findings, each of which names the file and
// line, what is wrong and what to write instead. The Policy is data, floors.txt:
// which floor a package stands on, which third-party modules it may import, and
// the named exceptions to each rule, every one with its reason.
//
// An exception that no longer excuses anything is itself a finding, so the list
// only grows on purpose.
//
// # Limits
//
// Rules see syntax, not types: a WaitGroup is known by the name it was declared
// under, and a channel by the operations on it. A rule that needs types belongs in
// an analyzer.
//
// # Testing
//
// Every rule has planted violations, which must be reported, and near misses,
// which must not; a rule without both fails the tests. Files are read in the test
// process, never by a child such as go list: go test caches a passing result, and
// notices that a file changed only if the test itself had opened it.
//
// # Sources
//
// Go's go/build/deps_test.go (dependency policy as data), TigerBeetle's tidy.zig
// and pebble's internal/lint (taste as a test; the rule names its replacement).
package tidy
