// Package registrytest fails tests that leave goroutines or scopes behind. It is for tests only.
//
//	func TestMain(m *testing.M) { registrytest.NoLeaks(m) }
//
// # Concepts
//
// An open scope is always held by a goroutine: the one in registry.Run, or the one that closes it after its grace. So
// looking for goroutines finds scopes too; those that stand in a scope are named as such. Handles and listeners are
// found through the goroutines behind them, and through the scope that owns them.
//
// # Limits
//
// A goroutine that is about to end is given a bounded time. [NoLeaksT] compares with the goroutines at its call, so a
// test that uses it must not be parallel with others. Goroutines of the runtime and of package testing do not count;
// others that a library starts once for the process are named by a function in their stack.
package registrytest
