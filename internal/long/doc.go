// Package long gives the tests of the module their one size switch, -long. It is
// for tests alone: a program that imports it grows a flag it never wanted.
//
// A check that could run for a second or for an hour asks for its size here and
// is short unless told otherwise:
//
//	for range long.N(200, 1_000_000) { ... }
//
//	go test ./stm -long
//
// # Limits
//
// The flag exists only in test binaries that import this package, and go test
// hands -long to every package it is given; `make long` names those that know it.
package long
