//go:build race

package stm_test

// racing says that allocations and sizes are those of the race detector.
const racing = true
