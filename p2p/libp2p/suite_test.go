package libp2p_test

import (
	"context"
	"testing"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/registry"
)

// The promises hold over both transports, whichever end opened the stream.
func TestStreamSuite(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		two(t, tr, func(ctx context.Context, _ *registry.Scope, na, nb node) {
			for _, opener := range []string{"a", "b"} {
				t.Run("opened by "+opener, func(t *testing.T) {
					p2ptest.StreamSuite(t, func(t *testing.T) (p2p.Stream, p2p.Stream) {
						a, b := pair(t, ctx, na, nb)
						t.Cleanup(func() { a.Reset(0); b.Reset(0) })
						if opener == "b" {
							a, b = b, a
						}
						return a, b
					})
				})
			}
		})
	})
}
