package rule

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

type inner struct {
	A int8
	B [2]uint16
}

// even has bytes of its own making: only even numbers.
type even struct{ n uint32 }

func (e *even) AppendBinary(b []byte) ([]byte, error) {
	return binary.BigEndian.AppendUint32(b, e.n/2), nil
}

func (e *even) UnmarshalBinary(b []byte) error {
	if len(b) != 4 {
		return errors.New("four bytes")
	}
	e.n = 2 * binary.BigEndian.Uint32(b)
	return nil
}

type everything struct {
	Yes    bool
	I      int
	U      uint64
	F      float64
	S      string
	Bytes  []byte
	Array  [3]inner
	Slice  []inner
	Deep   [][]string
	Ptr    *inner
	Custom even
	hidden int16
}

func put[T any](x T) []byte { return planFor[T]().put(nil, unsafe.Pointer(&x)) }

func take[T any](b []byte) (x T, rest []byte, ok bool) {
	rest, ok = planFor[T]().take(b, unsafe.Pointer(&x))
	return x, rest, ok
}

// Bytes lead back to the value, and equal values have equal bytes.
func TestPlanRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.Custom(func(t *rapid.T) inner {
			return inner{rapid.Int8().Draw(t, "a"), [2]uint16{rapid.Uint16().Draw(t, "b0"), rapid.Uint16().Draw(t, "b1")}}
		})
		x := everything{
			Yes: rapid.Bool().Draw(t, "yes"), I: rapid.Int().Draw(t, "i"), U: rapid.Uint64().Draw(t, "u"), F: rapid.Float64().Draw(t, "f"),
			S: rapid.String().Draw(t, "s"), Bytes: rapid.SliceOfN(rapid.Byte(), 1, 9).Draw(t, "bytes"), Slice: rapid.SliceOfN(in, 1, 4).Draw(t, "slice"),
			Deep: [][]string{{rapid.String().Draw(t, "deep")}, {"b", "c"}}, Custom: even{2 * rapid.Uint32Range(0, 99).Draw(t, "custom")}, hidden: rapid.Int16().Draw(t, "hidden"),
		}
		x.Array[1] = in.Draw(t, "array")
		if rapid.Bool().Draw(t, "ptr") {
			p := in.Draw(t, "pointed")
			x.Ptr = &p
		}
		b := put(x)
		y, rest, ok := take[everything](append(bytes.Clone(b), 7))
		require.True(t, ok)
		require.Equal(t, []byte{7}, rest)
		require.Equal(t, x, y)
		require.Equal(t, b, put(y))
		for n := range b { // no prefix is a value
			_, _, ok := take[everything](b[:n])
			require.False(t, ok, "%d of %d bytes", n, len(b))
		}
	})
}

func TestPlanPacked(t *testing.T) {
	require.True(t, planFor[[3]int8]().packed)
	require.True(t, planFor[struct{ A, B int32 }]().packed)
	require.False(t, planFor[inner]().packed, "a hole before B")
	require.False(t, planFor[struct {
		A int64
		B int8
	}]().packed, "a hole at the end")
	require.False(t, planFor[string]().packed)
	require.NotEqual(t, planFor[struct{ A int8 }]().sig, planFor[struct{ B int8 }]().sig)
}

type list struct{ Next *list }

func TestPlanRefusals(t *testing.T) {
	require.PanicsWithValue(t, "rule: no canonical bytes for map[int]int: give it AppendBinary and UnmarshalBinary", func() { planFor[map[int]int]() })
	require.Panics(t, func() { planFor[chan int]() })
	require.Panics(t, func() { planFor[struct{ F func() }]() })
	require.Panics(t, func() { planFor[any]() })
	require.Panics(t, func() { planFor[[]struct{}]() })
	require.Panics(t, func() { planFor[list]() }, "a type that contains itself")
}

// Hostile bytes are refused or are a value's; a length that is only claimed allocates nothing.
func FuzzPlan(f *testing.F) {
	f.Add(put(everything{Slice: make([]inner, 2), Ptr: new(inner), Bytes: []byte("b")}))
	f.Add(bytes.Repeat([]byte{255}, 60))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, rest, ok := take[everything](b)
		if !ok {
			return
		}
		y, _, ok := take[everything](put(x))
		require.True(t, ok)
		require.Equal(t, put(x), put(y))
		require.LessOrEqual(t, len(rest), len(b))
	})
}

// Padding is no part of a value: two structs that differ in it alone are one state.
func TestInternedIgnoresPadding(t *testing.T) {
	tab := newInterned[inner](planFor[inner]())
	var x, y inner
	(*[unsafe.Sizeof(inner{})]byte)(unsafe.Pointer(&x))[1] = 0xff
	require.Equal(t, tab.id(&x), tab.id(&y))
	y.A = 1
	require.NotEqual(t, tab.id(&x), tab.id(&y))
}
