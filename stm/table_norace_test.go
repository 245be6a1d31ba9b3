//go:build !race

package stm_test

const racing = false
