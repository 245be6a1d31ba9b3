package assure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/consensus/rule/explore"
	"github.com/synodkit/synod/consensus/tendermint"
)

// ErrNotAssured says that a check did not come out as it must.
var ErrNotAssured = errors.New("assure: tendermint")

// Run prints what is known to w. With drop, the name of a rule and of one of its conjuncts joined by a slash, it deletes that conjunct and
// returns an error that names it and the violation, unless the deletion changes nothing. Every error unwraps to ErrNotAssured, or
// is that of ctx.
func Run(ctx context.Context, w io.Writer, drop string) error {
	if drop != "" {
		return dropped(ctx, w, drop)
	}
	if err := crashes(ctx, w, forgotten()); err != nil {
		return err
	}
	return mutants(ctx, w, append(small(), large()...))
}

func worlds(bs []tendermint.Bounds) (ws []rule.World[*tendermint.Machine]) {
	for _, b := range bs {
		ws = append(ws, tendermint.World(b))
	}
	return ws
}

// crashes explores a crash with one durable thing less, and two crashes with all of them.
func crashes(ctx context.Context, w io.Writer, bs []tendermint.Bounds) error {
	for _, b := range append(bs, tendermint.Bounds{Rounds: 1, Values: 2, Proposes: 0, Crashes: 2}) {
		if err := ctx.Err(); err != nil {
			return err
		}
		r := explore.Run(tendermint.World(b))
		switch {
		case b.Forget == "" && r.Err != nil:
			return fmt.Errorf("%w: %s: %w", ErrNotAssured, describe(b), r.Err)
		case b.Forget == "":
			fmt.Fprintf(w, "%d states, %d transitions: %s\n", r.States, r.Transitions, describe(b))
		case r.Err == nil:
			return fmt.Errorf("%w: a crash may forget %q", ErrNotAssured, b.Forget)
		default:
			fmt.Fprintf(w, "durable %-10s if forgotten: %v\n", b.Forget, short(r.Err))
		}
	}
	return nil
}

func short(err error) string {
	var v *explore.Violation
	if errors.As(err, &v) {
		return fmt.Sprintf("%v, in %d steps", v.Err, len(v.Story))
	}
	return err.Error()
}

// mutants deletes every conjunct.
func mutants(ctx context.Context, w io.Writer, bs []tendermint.Bounds) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	score, err := explore.Mutate(worlds(bs)...)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotAssured, err)
	}
	for i, r := range score.Unmutated {
		fmt.Fprintf(w, "%d states, %d transitions, %d in which all have decided: %s\n", r.States, r.Transitions, r.Goals, describe(bs[i]))
	}
	for _, v := range score.Verdicts {
		name := v.Rule + "/" + v.Conjunct
		why, known := listed()[name]
		fmt.Fprintln(w, strings.TrimSpace(v.String()+" "+why))
		if v.Fate == explore.Panics || v.Fate == explore.Alive && !known {
			err = fmt.Errorf("%w: nothing objects to the deletion of %q", ErrNotAssured, name)
		}
	}
	fmt.Fprintf(w, "%d conjuncts: %d killed, %d redundant in these bounds, %d listed\n", len(score.Verdicts),
		score.Count(explore.Killed), score.Count(explore.Redundant), score.Count(explore.Alive))
	return err
}

// dropped deletes one conjunct.
func dropped(ctx context.Context, w io.Writer, drop string) error {
	name, conjunct, _ := strings.Cut(drop, "/")
	if !slices.Contains(explore.Conjuncts(tendermint.World(tendermint.Bounds{Rounds: 2, Values: 1, Proposes: 1}), 5000), explore.Conjunct{Rule: name, Name: conjunct}) &&
		!slices.Contains(explore.Conjuncts(worlds(small())[3], 5000), explore.Conjunct{Rule: name, Name: conjunct}) {
		return fmt.Errorf("%w: no conjunct %q", ErrNotAssured, drop)
	}
	for _, world := range worlds(append(small(), large()...)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if r := explore.Without(world, name, conjunct); r.Err != nil {
			return fmt.Errorf("%w: without %q: %w", ErrNotAssured, drop, r.Err)
		}
	}
	fmt.Fprintf(w, "%q is redundant in these bounds, or listed\n", drop)
	return nil
}
