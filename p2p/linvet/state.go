package main

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis/passes/buildssa"
	"golang.org/x/tools/go/ssa"
)

// checkStates looks at what becomes of each state value in each function of the package, but a state's own methods.
func (v *vet) checkStates() {
	for _, fn := range v.pass.ResultOf[buildssa.Analyzer].(*buildssa.SSA).SrcFuncs {
		if recv := fn.Signature.Recv(); recv != nil && v.linear(recv.Type()) {
			continue
		}
		for _, p := range fn.Params {
			v.checkValue(p)
		}
		for _, b := range fn.Blocks {
			for _, in := range b.Instrs {
				if value, ok := in.(ssa.Value); ok {
					v.checkValue(value)
				}
				if call, ok := in.(*ssa.Call); ok {
					v.checkResults(call)
				}
			}
		}
	}
}

// checkValue: a state, or an answer with its Next, is used once on each way.
func (v *vet) checkValue(value ssa.Value) {
	if _, load := value.(*ssa.UnOp); load {
		return // of a variable that a closure shares, or of a field: an answer's Next is looked at by its answer
	}
	switch next := v.next(value.Type()); {
	case v.linear(value.Type()):
		v.checkUses(value, value.Type(), uses(value))
	case next >= 0:
		v.checkUses(value, fieldType(value.Type(), next), loads(value, next))
	}
}

// next is the place of the field Next in a pointer to an answer, or -1.
func (v *vet) next(t types.Type) int {
	s := answer(t)
	for i := 0; s != nil && i < s.NumFields(); i++ {
		if f := s.Field(i); f.Name() == "Next" && v.linear(f.Type()) {
			return i
		}
	}
	return -1
}

// answer is the struct that a pointer leads to, or nil.
func answer(t types.Type) *types.Struct {
	p, ok := types.Unalias(t).(*types.Pointer)
	if !ok {
		return nil
	}
	s, _ := p.Elem().Underlying().(*types.Struct)
	return s
}

func fieldType(t types.Type, i int) types.Type { return answer(t).Field(i).Type() }

// checkUses reports each use that can follow another.
func (v *vet) checkUses(value ssa.Value, t types.Type, all []ssa.Instruction) {
	for _, b := range all {
		for _, a := range all {
			switch {
			case a == b && repeats(a, value):
				v.report(position(b), ruleStale, "the state %s is used again by the next round of the loop: assign it the state that follows", v.name(t))
			case a != b && follows(a, b, value):
				v.report(position(b), ruleStale, "the state %s was left in line %d: use the state that came of that", v.name(t), v.pass.Fset.Position(position(a)).Line)
			default:
				continue
			}
			break // once is enough
		}
	}
}

// loads lists where the field of an answer is read.
func loads(value ssa.Value, field int) (all []ssa.Instruction) {
	if value.Referrers() == nil {
		return nil
	}
	for _, r := range *value.Referrers() {
		f, ok := r.(*ssa.FieldAddr)
		if !ok || f.Field != field {
			continue
		}
		for _, l := range *f.Referrers() {
			if load, ok := l.(*ssa.UnOp); ok && load.Op == token.MUL {
				all = append(all, load)
			}
		}
	}
	return all
}

// checkResults reports the states that a call gives and nobody takes.
func (v *vet) checkResults(call *ssa.Call) {
	tuple, ok := call.Type().(*types.Tuple)
	if !ok {
		if v.linear(call.Type()) && unused(call) {
			v.dropped(call, call.Type())
		}
		return
	}
	for i := range tuple.Len() {
		if t := tuple.At(i).Type(); v.linear(t) && !taken(call, i) {
			v.dropped(call, t)
		}
	}
}

func (v *vet) dropped(call *ssa.Call, t types.Type) {
	v.report(call.Pos(), ruleDropped, "the state %s is dropped: the peer waits for a message that never comes", v.name(t))
}

// taken says whether a result is used at all: as a variable, or returned with the others.
func taken(call *ssa.Call, i int) bool {
	for _, r := range *call.Referrers() {
		switch r := r.(type) {
		case *ssa.Extract:
			if r.Index == i && !unused(r) {
				return true
			}
		case *ssa.DebugRef:
		default:
			return true
		}
	}
	return false
}

func unused(value ssa.Value) bool {
	for _, r := range *value.Referrers() {
		if _, ok := r.(*ssa.DebugRef); !ok {
			return false
		}
	}
	return true
}

// position is where an instruction stands in the text.
func position(in ssa.Instruction) token.Pos {
	if in.Pos().IsValid() {
		return in.Pos()
	}
	for _, o := range in.Operands(nil) {
		if *o != nil && (*o).Pos().IsValid() {
			return (*o).Pos()
		}
	}
	return in.Parent().Pos()
}
