// Package bench measures Synod beside peers that the main module does not depend on. It is a module of its own, so that
// they stay out of go.mod; run it from its folder:
//
//	go test -run xxx -bench . .
package bench
