package chainsel

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

const (
	snapshotsKept    = 2
	snapshotDefault  = 1000
	chunkBytes       = 256 << 10
	manifestBytes    = 8 + 8 + 32 + 8 + 32
	snapshotWritten  = "written"
	snapshotUsed     = "used"
	snapshotUnusable = "unusable"
)

var errSnapshot = errors.New("not the snapshot that was written")

// manifest says that a snapshot is whole. It is written after the chunks, which are the encoded state: the store keeps a prefix of what is
// written, so a manifest that is there after a crash has all its chunks.
type manifest struct {
	at    chain.Tip // the block after which the state is
	bytes uint64    // of the chunks together
	sum   chain.Hash
}

func (m manifest) encode() []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, manifestBytes), uint64(m.at.BlockNo))
	b = binary.BigEndian.AppendUint64(b, uint64(m.at.Point.Slot))
	b = append(b, m.at.Point.Hash[:]...)
	b = binary.BigEndian.AppendUint64(b, m.bytes)
	return append(b, m.sum[:]...)
}

func decodeManifest(n chain.BlockNo, b []byte) (m manifest, err error) {
	if len(b) != manifestBytes || binary.BigEndian.Uint64(b) != uint64(n) {
		return manifest{at: chain.Tip{BlockNo: n}}, errSnapshot
	}
	m.at = chain.Tip{
		Point:   chain.Point{Slot: chain.Slot(binary.BigEndian.Uint64(b[8:])), Hash: chain.Hash(b[16:48])},
		BlockNo: n,
	}
	m.bytes, m.sum = binary.BigEndian.Uint64(b[48:]), chain.Hash(b[56:])
	return m, nil
}

// sealing is a hash over all that a snapshot means: of which chain and block it is, then its chunks.
func (d disk) sealing(at chain.Tip) hash.Hash {
	h := sha256.New()
	h.Write([]byte("synod/chainsel/snapshot/1"))
	h.Write(d.genesis[:])
	h.Write(manifest{at: at}.encode())
	return h
}

func (d disk) chunkKey(n chain.BlockNo, i uint32) []byte {
	return binary.BigEndian.AppendUint32(d.key('s', n), i)
}

// chunks writes the encoded state of a snapshot and gives the manifest, which is still to be written.
func (d disk) chunks(at chain.Tip, pieces func(yield func([]byte) bool), write func(*store.Batch) error) (manifest, error) {
	m, sum, room, count := manifest{at: at}, d.sealing(at), make([]byte, 0, chunkBytes), uint32(0)
	flush := func() error {
		b := new(store.Batch)
		b.Put(d.chunkKey(at.BlockNo, count), room)
		count, room = count+1, room[:0]
		return write(b)
	}
	for piece := range pieces {
		sum.Write(piece)
		m.bytes += uint64(len(piece))
		for len(piece) > 0 {
			n := min(len(piece), chunkBytes-len(room))
			room, piece = append(room, piece[:n]...), piece[n:]
			if len(room) == chunkBytes {
				if err := flush(); err != nil {
					return m, err
				}
			}
		}
	}
	m.sum = chain.Hash(sum.Sum(nil))
	if len(room) > 0 {
		return m, flush()
	}
	return m, nil
}

// chunkReader reads the chunks of a snapshot one after another.
type chunkReader struct {
	d     disk
	n     chain.BlockNo
	i     uint32
	left  uint64
	chunk []byte
}

// Read implements io.Reader.
func (r *chunkReader) Read(p []byte) (int, error) {
	if len(r.chunk) == 0 {
		if r.left == 0 {
			return 0, io.EOF
		}
		b, err := r.d.store.Get(r.d.chunkKey(r.n, r.i))
		if err != nil {
			return 0, fmt.Errorf("chunk %d: %w", r.i, err)
		}
		if uint64(len(b)) != min(r.left, chunkBytes) {
			return 0, errSnapshot
		}
		r.i, r.left, r.chunk = r.i+1, r.left-uint64(len(b)), b
	}
	n := copy(p, r.chunk)
	r.chunk = r.chunk[n:]
	return n, nil
}

// manifests are those stored, newest first; one that cannot be read has its number alone, and the error that says so.
func (d disk) manifests() (ms []manifest, bad []error, err error) {
	for e, err := range d.store.Scan(d.key('m', 0), append([]byte(d.prefix), 'm'+1)) {
		if err != nil {
			return nil, nil, fmt.Errorf("chainsel: reading snapshots: %w", err)
		}
		key := e.Key[len(d.prefix)+1:]
		if len(key) != 8 {
			continue
		}
		m, err := decodeManifest(chain.BlockNo(binary.BigEndian.Uint64(key)), e.Value)
		ms, bad = append(ms, m), append(bad, err)
	}
	slices.Reverse(ms)
	slices.Reverse(bad)
	return ms, bad, nil
}

// restore reads the state of a snapshot.
func (c *Chain[S]) restore(m manifest) (state S, err error) {
	h, err := c.disk.header(m.at.BlockNo)
	if err != nil {
		return state, err
	}
	if h.Tip() != m.at {
		return state, fmt.Errorf("%w: it is of %v, the chain has %v there", errSnapshot, m.at, h.Tip())
	}
	b, err := c.disk.block(h)
	if err != nil {
		return state, err
	}
	sum := c.disk.sealing(m.at)
	r := io.TeeReader(&chunkReader{d: c.disk, n: m.at.BlockNo, left: m.bytes}, sum)
	got, err := c.cfg.Decode(r, b)
	if err != nil {
		return state, err
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return state, err
	}
	if chain.Hash(sum.Sum(nil)) != m.sum {
		return state, errSnapshot
	}
	return got, nil
}

// supplants are those stored, given newest first, that are not needed any more once s is. What no rollback passes is kept as the newest two. At the end of
// a life it is kept beside s, and the oldest of what a rollback can still pass too: of many short lives none would ever leave a state that recall can
// begin from.
func (s *snapshot[S]) supplants(stored []manifest) (numbers []chain.BlockNo) {
	final, atEnd := snapshotsKept, s.at.BlockNo > s.anchor
	if !atEnd {
		final--
	}
	for i, old := range stored {
		oldest := i+1 == len(stored) || stored[i+1].at.BlockNo <= s.anchor
		switch n := old.at.BlockNo; {
		case n == s.at.BlockNo:
		case n > s.anchor && (!atEnd || oldest):
		case n <= s.anchor && final > 0:
			final--
		default:
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// keep writes a snapshot: its chunks, and when they are on their way the manifest, durably, in one batch with the end of those it supplants.
func (c *Chain[S]) keep(ctx context.Context, s *snapshot[S]) error {
	last := store.DoneTicket(nil)
	apply := func(b *store.Batch, d store.Durability) (err error) {
		if last, err = c.cfg.Store.Apply(ctx, b, d); err != nil {
			return fmt.Errorf("chainsel: storing a snapshot of %v: %w", s.at, err)
		}
		return nil
	}
	queue := func(b *store.Batch) error { return apply(b, store.Queued) }
	m, err := c.disk.chunks(s.at, c.cfg.Encode(s.state), queue)
	if err != nil {
		return err
	}
	stored, _, err := c.disk.manifests()
	if err != nil {
		return err
	}
	b := new(store.Batch)
	for _, n := range s.supplants(stored) {
		b.Delete(c.disk.key('m', n))
	}
	b.Put(c.disk.key('m', s.at.BlockNo), m.encode())
	if err := apply(b, store.Durable); err != nil {
		return err
	}
	if err := last.Wait(ctx); err != nil {
		return fmt.Errorf("chainsel: storing a snapshot of %v: %w", s.at, err)
	}
	if err := stm.Do(ctx, func(tx *stm.Tx) error { c.kept.Set(tx, s.at); return nil }); err != nil {
		return err
	}
	c.cfg.Tracer.Emit(ctx, Event{Snapshot: snapshotWritten, Block: s.at})
	return c.sweep(ctx)
}

// sweep deletes chunks without a manifest: of snapshots that are not kept any more, or that a crash left unfinished.
func (c *Chain[S]) sweep(ctx context.Context) error {
	ms, _, err := c.disk.manifests()
	if err != nil {
		return err
	}
	end := append([]byte(c.cfg.Prefix), 's'+1)
	for from := c.disk.key('s', 0); ; {
		key, err := c.disk.first(from, end)
		if err != nil || key == nil {
			return err
		}
		n := chain.BlockNo(binary.BigEndian.Uint64(append(key[len(c.cfg.Prefix)+1:len(key):len(key)], make([]byte, 8)...)))
		if slices.ContainsFunc(ms, func(m manifest) bool { return m.at.BlockNo == n }) {
			from = c.disk.key('s', n+1)
			continue
		}
		b := new(store.Batch)
		b.Delete(key)
		if _, err := c.cfg.Store.Apply(ctx, b, store.Queued); err != nil {
			return fmt.Errorf("chainsel: deleting an old snapshot: %w", err)
		}
		from = append(key, 0)
	}
}

// first is the first key in a range, nil if there is none.
func (d disk) first(from, to []byte) ([]byte, error) {
	for e, err := range d.store.Scan(from, to) {
		if err != nil {
			return nil, fmt.Errorf("chainsel: reading: %w", err)
		}
		return e.Key, nil
	}
	return nil, nil
}
