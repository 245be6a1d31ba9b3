// Package registrytest fails tests that leave goroutines, scopes, handles, listeners or files behind. It is for tests
// only.
//
//	func TestMain(m *testing.M) { registrytest.NoLeaks(m) }
//
// # Concepts
//
// An open scope is always held by a goroutine: the one in registry.Run, or the one that closes it after its grace. So
// looking for goroutines finds scopes, and with them the handles that they own; those that stand in a scope are named as
// such. Sockets and files are looked for where the system lists what a process has open (Linux), because a listener
// that nobody accepts from, or a file, has no goroutine behind it.
//
// # Limits
//
// What is about to end is given a bounded time. [NoLeaksT] compares with what there was at its call, so a test that uses
// it must not be parallel with others. Goroutines of the runtime and of package testing do not count; others that
// a library starts once for the process are named by a function in their stack. Elsewhere than on Linux descriptors are
// not looked for. A descriptor that nobody refers to any more may be closed by the garbage collector before it is seen.
package registrytest
