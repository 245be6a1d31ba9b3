module github.com/synodkit/synod/bench

go 1.26.0

require (
	github.com/sourcegraph/conc v0.3.0
	github.com/synodkit/synod v0.0.0
	golang.org/x/sync v0.23.0
)

require go.uber.org/multierr v1.11.0 // indirect

replace github.com/synodkit/synod => ../
