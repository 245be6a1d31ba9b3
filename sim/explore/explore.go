package explore

import (
	"context"
	"errors"

	"github.com/synodkit/synod/sim"
)

// ErrDiverged is wrapped by the error of All when the program did something else under the same schedule.
var ErrDiverged = errors.New("explore: the program is not a function of its schedule")

// Config bounds an exploration.
type Config struct {
	RunsMax int                       // by default 100,000
	Options []sim.Option              // of every run
	OnRun   func(r *sim.Report) error // what is a failure; by default Report.Err
}

// Result is what an exploration has shown.
type Result struct {
	Runs     int  // of them
	Cut      int  // were ended early, because what they would show was known
	Races    int  // conflicts found whose order was reversed
	StepsMax int  // of the longest run
	Complete bool // every schedule is equivalent to one that was run
	Failed   *sim.Report
	Schedule sim.Schedule // of the failure
}

// All runs scenario under every schedule up to equivalence, until one fails. Its error is ErrDiverged.
func All(scenario func(ctx context.Context) error, c Config) (Result, error) {
	return all(scenario, c, sound())
}

func all(scenario func(ctx context.Context) error, c Config, rules rules) (Result, error) {
	if c.RunsMax == 0 {
		c.RunsMax = 100_000
	}
	if c.OnRun == nil {
		c.OnRun = func(r *sim.Report) error { return r.Err }
	}
	x := &explorer{rules: rules}
	opts := append([]sim.Option{sim.With(x), sim.Alone()}, c.Options...)
	var res Result
	for res.Runs < c.RunsMax {
		x.begin()
		r := sim.Run(1, scenario, opts...)
		res.Runs++
		res.StepsMax = max(res.StepsMax, r.Steps)
		switch {
		case x.err == nil && x.depth < len(x.nodes):
			x.diverged("the run is over")
			fallthrough
		case x.err != nil:
			return res, x.err
		case x.cut:
			res.Cut++
		default:
			if err := c.OnRun(r); err != nil {
				res.Failed, res.Schedule, res.Races = r, r.Schedule, x.races
				return res, nil
			}
		}
		more := x.learn()
		res.Races = x.races
		if !more {
			res.Complete = true
			break
		}
	}
	return res, nil
}
