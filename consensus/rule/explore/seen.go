package explore

import "math/bits"

// fingerprint is 64 bits of a state. Two states of n collide with probability n²/2^65: 4e-8 for a million.
func fingerprint(state []uint64) uint64 {
	h := uint64(0x9E3779B97F4A7C15)
	for i, x := range state {
		hi, lo := bits.Mul64(x^h, 0xD6E8FEB86659FD93^uint64(i)*0xA24BAED4963EE407)
		h = hi ^ lo ^ bits.RotateLeft64(h, 23)
	}
	h ^= h >> 32
	h *= 0xD6E8FEB86659FD93
	h ^= h >> 29
	return max(h, 1) // 0 is an empty place
}

// seen is a set of fingerprints, by open addressing.
type seen struct {
	table []uint64
	n     int
}

func (s *seen) add(h uint64) bool {
	if s.n*2 >= len(s.table) {
		s.grow()
	}
	mask := uint64(len(s.table) - 1)
	i := h & mask
	for ; s.table[i] != 0; i = (i + 1) & mask {
		if s.table[i] == h {
			return false
		}
	}
	s.table[i] = h
	s.n++
	return true
}

func (s *seen) grow() {
	old := s.table
	s.table = make([]uint64, max(1<<12, 2*len(old)))
	mask := uint64(len(s.table) - 1)
	for _, h := range old {
		if h == 0 {
			continue
		}
		i := h & mask
		for s.table[i] != 0 {
			i = (i + 1) & mask
		}
		s.table[i] = h
	}
}
