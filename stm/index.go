package stm

import "math/bits"

// indexAbove writes and more the write set is found through an index.
const indexAbove = 16

// index finds entries of a write set by Var: open addressing, half full at most. Nothing is ever taken out of it. What
// another run has left counts as empty, and an entry that was undone, or replaced by another Var's, is told by looking
// at the write set.
type index struct {
	slots []uint64 // run<<32 | place in the write set
	used  int      // of this run
	run   uint32
	shift uint8 // 64 - log2(len(slots))
}

func (x *index) start(c *core) int { return int(uint64(address(c)) >> 4 * spread >> x.shift) }

// find is the place of c in ws, or -1.
func (x *index) find(c *core, ws []write) int {
	for i := x.start(c); ; i++ {
		s := x.slots[i&(len(x.slots)-1)]
		if uint32(s>>32) != x.run {
			return -1
		}
		if j := int(uint32(s)); j < len(ws) && ws[j].c == c {
			return j
		}
	}
}

// add enters the last of ws; all of them if it is the first that is too many, or if there is no room.
func (x *index) add(ws []write) {
	if last := len(ws) - 1; last > indexAbove && 2*x.used < len(x.slots) {
		x.enter(ws, last)
		return
	}
	if 4*len(ws) > len(x.slots) {
		size := bits.Len(uint(4 * len(ws)))
		x.slots, x.shift = make([]uint64, 1<<size), uint8(64-size)
	}
	x.used = 0
	if x.run++; x.run == 0 {
		clear(x.slots)
		x.run = 1
	}
	for i := range ws {
		x.enter(ws, i)
	}
}

func (x *index) enter(ws []write, place int) {
	i := x.start(ws[place].c)
	for uint32(x.slots[i&(len(x.slots)-1)]>>32) == x.run {
		i++
	}
	x.slots[i&(len(x.slots)-1)] = uint64(x.run)<<32 | uint64(place)
	x.used++
}
