package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/store"
)

// ErrIdentity says that a store belongs to another network; the error is an [IdentityError].
var ErrIdentity = errors.New("node: the store is of another network")

// IdentityError names what differs, and both values. It unwraps to [ErrIdentity].
type IdentityError struct{ Field, Ours, Stored string }

// Error names the field and both values.
func (e *IdentityError) Error() string {
	return fmt.Sprintf("%v: %s: ours is %s, stored is %s", ErrIdentity, e.Field, e.Ours, e.Stored)
}

// Unwrap is ErrIdentity.
func (e *IdentityError) Unwrap() error { return ErrIdentity }

const (
	identityKey     = "node/identity"
	identityVersion = 1
)

// identity is what a store says it belongs to.
type identity struct {
	_       struct{} `cbor:",toarray"`
	Version uint64
	Network string
	Genesis chain.Hash
}

// checkIdentity compares the store's record with the genesis. A store that has no record must be empty: then one is written.
func checkIdentity(ctx context.Context, st store.Store, g chain.Genesis) error {
	ours := identity{Version: identityVersion, Network: g.Network, Genesis: g.Hash()}
	raw, err := st.Get([]byte(identityKey))
	if errors.Is(err, store.ErrNotFound) {
		return writeIdentity(ctx, st, ours)
	}
	if err != nil {
		return fmt.Errorf("node: reading the store's identity: %w", err)
	}
	var stored identity
	if err := chain.Unmarshal(raw, &stored); err != nil {
		return fmt.Errorf("node: the store's identity is corrupt: %w", err)
	}
	switch {
	case stored.Version != ours.Version:
		return &IdentityError{"version", fmt.Sprint(ours.Version), fmt.Sprint(stored.Version)}
	case stored.Network != ours.Network:
		return &IdentityError{"network", fmt.Sprintf("%q", ours.Network), fmt.Sprintf("%q", stored.Network)}
	case stored.Genesis != ours.Genesis:
		return &IdentityError{"genesis", ours.Genesis.String(), stored.Genesis.String()}
	}
	return nil
}

func writeIdentity(ctx context.Context, st store.Store, ours identity) error {
	for e, err := range st.Scan(nil, nil) {
		if err != nil {
			return fmt.Errorf("node: reading the store: %w", err)
		}
		return &IdentityError{"record", "to be written to an empty store", fmt.Sprintf("none, but other keys such as %q", e.Key)}
	}
	raw, err := chain.Marshal(ours)
	if err != nil {
		return fmt.Errorf("node: %w", err)
	}
	b := new(store.Batch)
	b.Put([]byte(identityKey), raw)
	ticket, err := st.Apply(ctx, b, store.Durable)
	if err == nil {
		err = ticket.Wait(ctx)
	}
	if err != nil {
		return fmt.Errorf("node: writing the store's identity: %w", err)
	}
	return nil
}
