//go:build !unix

package stm_test

func cpuNanoseconds() int64 { return 0 }
