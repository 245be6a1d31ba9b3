package p2p

const (
	bufferBytesMin  = 512
	bufferBytesKeep = 4 << 10 // an empty buffer above this is let go
)

// buffer holds what was read and not yet used. It grows only when it is full, by doubling, so that a peer has sent at least
// half of what it makes us hold.
type buffer struct {
	data []byte
	r, w int // data[r:w] is unused
}

func (b *buffer) len() int { return b.w - b.r }

// front is the unused part.
func (b *buffer) front() []byte { return b.data[b.r:b.w] }

// room is free space to read into; need (more than len) is how many bytes the caller waits for in all.
func (b *buffer) room(need int) []byte {
	if b.r > 0 {
		b.w = copy(b.data, b.front())
		b.r = 0
	}
	if b.w == len(b.data) {
		grown := make([]byte, max(bufferBytesMin, min(2*len(b.data), need)))
		copy(grown, b.data[:b.w])
		b.data = grown
	}
	return b.data[b.w:]
}

// filled says that n bytes of room have been read.
func (b *buffer) filled(n int) { b.w += n }

// drop uses up n bytes.
func (b *buffer) drop(n int) {
	b.r += n
	if b.r < b.w {
		return
	}
	b.r, b.w = 0, 0
	if len(b.data) > bufferBytesKeep {
		b.data = nil
	}
}
