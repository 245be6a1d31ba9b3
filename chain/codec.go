package chain

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/fxamacker/cbor/v2"
)

// Marshal is the canonical encoding of v: core deterministic CBOR, no tags, nil slices and maps as empty ones. Structs become
// arrays with the field tag `cbor:",toarray"`, as the messages of this module do, or maps.
func Marshal(v any) ([]byte, error) {
	mode, err := encMode()
	if err != nil {
		return nil, err
	}
	b, err := mode.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	return b, nil
}

// Unmarshal decodes b into what v points to and accepts only what [Marshal] gives for the result: other forms of the same
// value, bytes after the end, missing, unknown and doubled fields are refused. On an error *v is as before. Nothing of the
// result aliases b. The caller bounds len(b); arrays and maps hold at most 65,536 elements, nested 16 deep. A null for a
// pointer is nil: check it.
func Unmarshal(b []byte, v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		panic("chain: Unmarshal needs a pointer")
	}
	mode, err := decMode()
	if err != nil {
		return err
	}
	fresh := reflect.New(target.Type().Elem())
	if err := mode.Unmarshal(b, fresh.Interface()); err != nil {
		return fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	again, err := Marshal(fresh.Interface())
	if err != nil {
		return err
	}
	if !bytes.Equal(again, b) {
		return fmt.Errorf("%w: %T: another encoding of the same value", ErrEncoding, v)
	}
	target.Elem().Set(fresh.Elem())
	return nil
}

func encMode() (cbor.EncMode, error) {
	o := cbor.CoreDetEncOptions()
	o.NilContainers = cbor.NilContainerAsEmpty
	o.TagsMd = cbor.TagsForbidden
	return o.EncMode()
}

func decMode() (cbor.DecMode, error) {
	return cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField, MaxNestedLevels: 16, MaxArrayElements: 1 << 16, MaxMapPairs: 1 << 16,
	}.DecMode()
}
