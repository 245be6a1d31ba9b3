package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/synodkit/synod/consensus/tendermint/assure"
)

// check prints what is known of a family, or deletes a conjunct of it.
type check func(ctx context.Context, w io.Writer, drop string) error

// families are the protocols written as tables of rules.
func families() map[string]check {
	return map[string]check{"tendermint": assure.Run}
}

// execute runs the command and returns its exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var family, drop string
	c := &cobra.Command{
		Use:           "assure",
		Short:         "What is known of a protocol's rules, and how",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, ok := families()[family]
			if !ok {
				return fmt.Errorf("assure: no family %q: there are %s", family, strings.Join(slices.Sorted(maps.Keys(families())), ", "))
			}
			return f(cmd.Context(), cmd.OutOrStdout(), drop)
		},
	}
	c.Flags().StringVar(&family, "family", "tendermint", "the protocol")
	c.Flags().StringVar(&drop, "drop", "", "delete this conjunct, RULE/CONJUNCT, and look for the harm")
	c.SetArgs(args)
	c.SetOut(stdout)
	c.SetErr(stderr)
	if err := c.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}
