package env

import (
	"context"

	"github.com/synodkit/synod/internal/seam"
)

type faultsKey struct{}

// Fault is a named fail point: nil, unless a test or the simulator has armed site. Code puts one where the world could
// fail it (a write, a dial) and treats the error as that failure. Sites are named "package.what".
func Fault(ctx context.Context, site string) error {
	if arm, ok := ctx.Value(faultsKey{}).(func(string) error); ok {
		if err := arm(site); err != nil {
			return err
		}
	}
	if w := seam.From(ctx); w != nil {
		return w.Fault(site)
	}
	return nil
}

// WithFaults arms fail points for what runs under the result, in either world: arm is asked at each site and its error
// is the fault. In production it is asked from many tasks at once.
func WithFaults(ctx context.Context, arm func(site string) error) context.Context {
	return context.WithValue(ctx, faultsKey{}, arm)
}
