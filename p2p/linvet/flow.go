package main

import (
	"slices"

	"golang.org/x/tools/go/ssa"
)

// follows says whether b can run after a for the same value: on a way that does not pass the place where the value is made anew.
func follows(a, b ssa.Instruction, value ssa.Value) bool {
	if a.Block() == b.Block() && index(a) < index(b) {
		return true
	}
	return leads(a.Block(), b.Block(), home(value))
}

// repeats says whether a can run again for the same value.
func repeats(a ssa.Instruction, value ssa.Value) bool {
	return home(value) != a.Block() && leads(a.Block(), a.Block(), home(value))
}

// home is the block in which a value is made, nil for a parameter.
func home(value ssa.Value) *ssa.BasicBlock {
	if in, ok := value.(ssa.Instruction); ok {
		return in.Block()
	}
	return nil
}

func index(in ssa.Instruction) int { return slices.Index(in.Block().Instrs, in) }

// leads says whether there is a way of at least one step from one block to another that does not enter stop.
func leads(from, to, stop *ssa.BasicBlock) bool {
	seen := map[*ssa.BasicBlock]bool{}
	for todo := slices.Clone(from.Succs); len(todo) > 0; todo = todo[1:] {
		b := todo[0]
		if b == stop || seen[b] {
			continue
		}
		if b == to {
			return true
		}
		seen[b] = true
		todo = append(todo, b.Succs...)
	}
	return false
}
