package tendermint

import "github.com/synodkit/synod/consensus"

// sequence is who proposes: at each height the rotation starts one turn later, and each round goes on by one. It belongs to one task.
type sequence struct {
	rotation consensus.Rotation // after the last of leaders
	start    Height             // leaders[0] is of its round 0
	leaders  []int
}

func newSequence(r consensus.Rotation, start Height) *sequence {
	return &sequence{rotation: r, start: start}
}

// leadersMax bounds what a sequence remembers; heights that far behind are not asked for any more.
const leadersMax = 1 << 13

func (s *sequence) of(h Height, r Round) int {
	if h < s.start || r < 0 {
		return -1
	}
	i := int(h-s.start) + int(r)
	for i >= len(s.leaders) {
		s.leaders = append(s.leaders, s.rotation.Leader())
		s.rotation = s.rotation.Next()
	}
	who := s.leaders[i]
	if n := int(h - s.start); n > leadersMax {
		s.leaders = append([]int(nil), s.leaders[n:]...)
		s.start = h
	}
	return who
}
