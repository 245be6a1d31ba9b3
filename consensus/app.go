package consensus

import "context"

// App is the replicated state machine, as a family that decides one payload a height sees it. Its answers must depend on the payloads
// applied and the arguments alone, so that all replicas give the same; only Prepare is free. All calls are made by one task.
type App interface {
	// Prepare makes a payload to propose on top of what is applied, at most bytes long. It does not wait for work: an empty payload is one.
	Prepare(ctx context.Context, height uint64, bytes int) ([]byte, error)

	// Validate judges a payload that another proposes on top of what is applied. An error refuses it.
	Validate(ctx context.Context, height uint64, payload []byte) error

	// Apply carries out what was decided. It is called for each height once and in order, and after a crash again for heights
	// that were not yet durable with the application; an error stops the replica.
	Apply(ctx context.Context, d Decided) (Outcome, error)

	// Snapshot is the state after what is applied.
	Snapshot(ctx context.Context) (Snapshot, error)

	// Restore replaces the state. The family has checked that members of enough weight decided the snapshot's state.
	Restore(ctx context.Context, s Snapshot) error
}

// Decided is a payload that is final, and the proof for those who were not there.
type Decided struct {
	Height  uint64
	Payload []byte
	Proof   []byte   // the family's certificate, in its encoding
	Faulty  []Member // members proved to have broken the protocol since the last height
}

// Outcome is what applying a payload led to.
type Outcome struct {
	State   []byte   // a digest of the state, equal on all replicas
	Members []Member // who takes part from the next height on; nil: as before
}

// Snapshot is the application's state after a height.
type Snapshot struct {
	Height uint64
	State  []byte // as in Outcome
	Data   []byte
}
