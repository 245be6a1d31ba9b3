package chain

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"time"
	"unicode/utf8"
)

// ErrGenesis says that a genesis is not valid; the error is a [GenesisError].
var ErrGenesis = errors.New("chain: invalid genesis")

// GenesisError names the field of a genesis that is not valid. It unwraps to [ErrGenesis].
type GenesisError struct{ Field, Problem string }

// Error names the field and the problem.
func (e *GenesisError) Error() string {
	return fmt.Sprintf("%v: %s %s", ErrGenesis, e.Field, e.Problem)
}

// Unwrap is ErrGenesis.
func (e *GenesisError) Unwrap() error { return ErrGenesis }

// LedgerBytesMax bounds what a genesis says to the ledger.
const LedgerBytesMax = 256 << 10

// Limits of a genesis.
const (
	genesisKeysMax  = 1024
	genesisTextMax  = 64 // of the network name and of the nonce, bytes
	genesisBytesMax = genesisKeysMax*(keyBytes+2) + 2*genesisTextMax + LedgerBytesMax + 64
	keyBytes        = 32
	slotMax         = 24 * time.Hour
	lastSecond      = 253402300799 // 9999-12-31T23:59:59Z: no instant lies later
)

// Genesis is what all nodes of a network agree on before they start. Its hash names the network's chain.
type Genesis struct {
	Network    string        // 1 to 64 bytes of UTF-8
	Start      time.Time     // start of slot 0; UTC, whole milliseconds
	SlotLength time.Duration // whole milliseconds, at most a day
	Keys       [][]byte      // ed25519 public keys of the leaders, in order, 32 bytes each
	Nonce      []byte        // at most 64 bytes; tells networks apart that agree in all else
	Ledger     []byte        // what the ledger starts from, in its own encoding; opaque here, at most LedgerBytesMax bytes
}

// Validate reports the first field that is not valid, as a *GenesisError.
func (g Genesis) Validate() error {
	bad := func(field, format string, args ...any) error {
		return &GenesisError{field, fmt.Sprintf(format, args...)}
	}
	if n := len(g.Network); n == 0 || n > genesisTextMax {
		return bad("Network", "has %d bytes instead of 1 to %d", n, genesisTextMax)
	}
	if !utf8.ValidString(g.Network) {
		return bad("Network", "is not UTF-8")
	}
	if ms := g.Start.UnixMilli(); !time.UnixMilli(ms).Equal(g.Start) || ms < 0 || ms/1000 > lastSecond {
		return bad("Start", "%v is not a whole millisecond of the years 1970 to 9999", g.Start)
	}
	if g.SlotLength <= 0 || g.SlotLength > slotMax || g.SlotLength%time.Millisecond != 0 {
		return bad("SlotLength", "%v is not a whole number of milliseconds up to %v", g.SlotLength, slotMax)
	}
	if n := len(g.Keys); n == 0 || n > genesisKeysMax {
		return bad("Keys", "are %d instead of 1 to %d", n, genesisKeysMax)
	}
	for i, k := range g.Keys {
		if len(k) != keyBytes {
			return bad("Keys", "hold one of %d bytes instead of %d at %d", len(k), keyBytes, i)
		}
	}
	if n := len(g.Nonce); n > genesisTextMax {
		return bad("Nonce", "has %d bytes, at most %d", n, genesisTextMax)
	}
	if n := len(g.Ledger); n > LedgerBytesMax {
		return bad("Ledger", "has %d bytes, at most %d", n, LedgerBytesMax)
	}
	return nil
}

// Bytes is the canonical encoding of a valid genesis.
func (g Genesis) Bytes() []byte {
	b := appendHead(nil, majorArray, 6)
	b = append(appendHead(b, majorText, uint64(len(g.Network))), g.Network...)
	b = appendHead(b, majorUint, uint64(g.Start.UnixMilli()))
	b = appendHead(b, majorUint, uint64(g.SlotLength.Milliseconds()))
	b = appendHead(b, majorArray, uint64(len(g.Keys)))
	for _, k := range g.Keys {
		b = appendBytes(b, k)
	}
	return appendBytes(appendBytes(b, g.Nonce), g.Ledger)
}

// DecodeGenesis decodes a genesis and validates it. What Ledger says is for the ledger to judge.
func DecodeGenesis(b []byte) (Genesis, error) {
	if len(b) > genesisBytesMax {
		return Genesis{}, fmt.Errorf("%w: genesis: %d bytes, at most %d", ErrTooLong, len(b), genesisBytesMax)
	}
	r := reader{what: "genesis", rest: b}
	r.array(6)
	network, start, slot := r.text(genesisTextMax), r.uint(), r.uint()
	if start > lastSecond*1000 || slot > uint64(slotMax.Milliseconds()) {
		r.fail(ErrEncoding, "start %d ms or slot length %d ms out of range", start, slot)
	}
	n := r.head(majorArray)
	if n > genesisKeysMax {
		r.fail(ErrTooLong, "%d keys, at most %d", n, genesisKeysMax)
	}
	g := Genesis{Network: network, Start: time.UnixMilli(int64(start)).UTC(), SlotLength: time.Duration(slot) * time.Millisecond}
	for i := uint64(0); i < n && r.err == nil; i++ {
		k := r.hash()
		g.Keys = append(g.Keys, k[:])
	}
	g.Nonce = append([]byte{}, r.bytes(genesisTextMax)...)
	g.Ledger = append(g.Ledger, r.bytes(LedgerBytesMax)...)
	if err := r.end(); err != nil {
		return Genesis{}, err
	}
	if err := g.Validate(); err != nil {
		return Genesis{}, err
	}
	return g, nil
}

// Hash names the network's chain: the hash of Bytes.
func (g Genesis) Hash() Hash { return HashOf(g.Bytes()) }

// Tip is where every chain of the network starts.
func (g Genesis) Tip() Tip { return Tip{Point: Point{Hash: g.Hash()}} }

// SlotAt is the slot of an instant: slot n lasts from Start + n*SlotLength until the next. Before Start it is slot 0, for which
// no block can be made.
func (g Genesis) SlotAt(t time.Time) Slot {
	if !t.After(g.Start) || g.SlotLength <= 0 {
		return 0
	}
	// Time.Sub saturates after 292 years, so count seconds and nanoseconds apart.
	secs, nanos := uint64(t.Unix()-g.Start.Unix()), int64(t.Nanosecond())-int64(g.Start.Nanosecond())
	if nanos < 0 {
		secs, nanos = secs-1, nanos+int64(time.Second)
	}
	hi, lo := bits.Mul64(secs, uint64(time.Second))
	lo, carry := bits.Add64(lo, uint64(nanos), 0)
	hi += carry
	if hi >= uint64(g.SlotLength) {
		return math.MaxUint64
	}
	n, _ := bits.Div64(hi, lo, uint64(g.SlotLength))
	return Slot(n)
}

// SlotStart is the instant at which a slot starts. Instants after the year 9999 are cut to its end.
func (g Genesis) SlotStart(s Slot) time.Time {
	end := time.Unix(lastSecond, 0).UTC()
	hi, lo := bits.Mul64(uint64(s), uint64(max(g.SlotLength, 0)))
	if hi >= uint64(time.Second) {
		return end
	}
	secs, nanos := bits.Div64(hi, lo, uint64(time.Second))
	if secs > lastSecond {
		return end
	}
	t := time.Unix(g.Start.Unix()+int64(secs), int64(g.Start.Nanosecond())+int64(nanos)).UTC()
	if t.After(end) {
		return end
	}
	return t
}
