package table

import (
	"fmt"

	"github.com/synodkit/synod/chain"
)

// Empty is embedded by a message without fields: its body is no bytes at all.
type Empty struct{}

// AppendTo appends nothing.
func (Empty) AppendTo(b []byte) ([]byte, error) { return b, nil }

// ParseFrom accepts the empty body alone.
func (Empty) ParseFrom(b []byte) error {
	if len(b) > 0 {
		return fmt.Errorf("%w: %d bytes in a message without fields", chain.ErrEncoding, len(b))
	}
	return nil
}

// AppendBody appends the canonical CBOR of v: what AppendTo of most messages does.
func AppendBody(b []byte, v any) ([]byte, error) {
	body, err := chain.Marshal(v)
	if err != nil {
		return b, err
	}
	return append(b, body...), nil
}

// ParseBody sets what v points to from canonical CBOR, and refuses any other: what ParseFrom of most messages does.
func ParseBody(b []byte, v any) error { return chain.Unmarshal(b, v) }
