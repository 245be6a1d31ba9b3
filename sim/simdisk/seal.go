package simdisk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/synodkit/synod/store"
)

// sealBytes is what a value is longer by on the disk.
const sealBytes = 4

func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE(key), crc32.IEEETable, value)
}

// sealed are the operations with a checksum before each value.
func sealed(b *store.Batch) []store.Op {
	out := make([]store.Op, 0, b.Len())
	for op := range b.Ops() {
		if !op.Delete {
			v := binary.BigEndian.AppendUint32(make([]byte, 0, sealBytes+len(op.Value)), checksum(op.Key, op.Value))
			op.Value = append(v, op.Value...)
		}
		out = append(out, op)
	}
	return out
}

// open takes the seal off; the value is in memory of its own.
func (d *Disk) open(key, sealed []byte) ([]byte, error) {
	value := bytes.Clone(sealed[sealBytes:])
	if !d.cfg.bugs.unchecked && binary.BigEndian.Uint32(sealed) != checksum(key, value) {
		return nil, fmt.Errorf("%w: the value of %q does not match its checksum", ErrCorrupt, key)
	}
	return value, nil
}

func flipped(sealed []byte, bit int) []byte {
	sealed = bytes.Clone(sealed)
	bit %= 8 * len(sealed)
	sealed[bit/8] ^= 1 << (bit % 8)
	return sealed
}

// spoiltIn are the batches with a bit flipped in each value of key.
func spoiltIn(batches []*batch, key []byte, bit int) []*batch {
	batches = slices.Clone(batches)
	for i, b := range batches {
		copied := *b
		copied.ops = slices.Clone(b.ops)
		for j, op := range copied.ops {
			if !op.Delete && bytes.Equal(op.Key, key) {
				copied.ops[j].Value = flipped(op.Value, bit)
			}
		}
		batches[i] = &copied
	}
	return batches
}

func sizeOf(i store.Image) (n int) {
	for e := range i.Scan(nil, nil) {
		n += len(e.Key) + len(e.Value) - sealBytes
	}
	return n
}

// growth is how much larger the content gets by ops.
func growth(i store.Image, ops []store.Op) (n int) {
	size := map[string]int{} // after ops, of the keys that they touch
	for _, op := range ops {
		k := string(op.Key)
		if _, seen := size[k]; !seen {
			if old, ok := i.Get(op.Key); ok {
				n -= len(k) + len(old) - sealBytes
			}
		}
		size[k] = 0
		if !op.Delete {
			size[k] = len(k) + len(op.Value) - sealBytes
		}
	}
	for _, s := range size {
		n += s
	}
	return n
}
