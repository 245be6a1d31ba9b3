// Package storetest is the suite that every [store.Store] must pass. It is for tests of implementations; use [store.Memory] to test
// what uses a store.
//
// # Example
//
//	for _, c := range storetest.Checks() {
//		t.Run(c.Name, func(t *testing.T) { c.Run(ctx, t, newDisk) })
//	}
//
// The context says in which world a check runs: in a simulation its concurrent parts are tasks of that.
//
// # Testing
//
// Stores with planted faults (done before applied, last batch lost, scan out of order, ...) fail the checks made for them.
package storetest
