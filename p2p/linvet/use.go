package main

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// uses lists what uses up a state.
func uses(value ssa.Value) (all []ssa.Instruction) {
	for _, r := range *value.Referrers() {
		switch r := r.(type) {
		case *ssa.DebugRef, *ssa.Phi: // a phi is another name, which is looked at as a value of its own
		case *ssa.Return:
			if !slices.ContainsFunc(r.Results, mayFail) {
				all = append(all, r)
			}
		case *ssa.Store:
			if !handedBack(r) {
				all = append(all, r)
			}
		default:
			all = append(all, r)
		}
	}
	return all
}

// mayFail says whether a result is an error that may be one: then the state beside it is worth nothing.
func mayFail(x ssa.Value) bool {
	if !types.Identical(x.Type(), types.Universe.Lookup("error").Type()) {
		return false
	}
	c, ok := x.(*ssa.Const)
	return !ok || !c.IsNil()
}

// handedBack says whether a store is the return, beside an error, of a function that has deferred calls: what it returns is stored first.
func handedBack(s *ssa.Store) bool {
	if !isResult(s.Addr) {
		return false
	}
	return slices.ContainsFunc(s.Block().Instrs, func(in ssa.Instruction) bool {
		other, ok := in.(*ssa.Store)
		return ok && other != s && isResult(other.Addr) && mayFail(other.Val)
	})
}

// isResult says whether a function returns what is at an address.
func isResult(addr ssa.Value) bool {
	a, ok := addr.(*ssa.Alloc)
	if !ok {
		return false
	}
	for _, r := range *a.Referrers() {
		load, ok := r.(*ssa.UnOp)
		if ok && slices.ContainsFunc(*load.Referrers(), func(in ssa.Instruction) bool { _, ok := in.(*ssa.Return); return ok }) {
			return true
		}
	}
	return false
}
