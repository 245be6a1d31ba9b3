package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/examples/testnet/home"
)

// keyLine is a named key as keys shows it: never the secret.
type keyLine struct {
	Name    string       `json:"name"`
	Address coin.Address `json:"address"`
	Balance *uint64      `json:"balance,omitempty"`
	Next    *uint64      `json:"next_nonce,omitempty"`
}

func (k keyLine) String() string {
	s := fmt.Sprintf("%s %s", k.Name, k.Address)
	if k.Balance != nil {
		s += fmt.Sprintf(" balance %d next nonce %d", *k.Balance, *k.Next)
	}
	return s
}

func newKeys(stdout io.Writer) *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{Use: "keys", Short: "Named keys of accounts: list, new, show", RunE: oneOfSeveral}
	cmd.PersistentFlags().StringVar(&dir, "home", homeDefault, "the network's directory, as init wrote it")
	cmd.PersistentFlags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List names and addresses", Args: noArguments,
			RunE: func(*cobra.Command, []string) error { return listKeys(dir, asJSON, stdout) },
		},
		&cobra.Command{
			Use: "new NAME", Short: "Draw a key and keep it under a name", Args: oneName,
			RunE: func(_ *cobra.Command, args []string) error {
				a, err := home.NewAccount(dir, args[0])
				if err != nil {
					return err
				}
				return show(stdout, keyLine{Name: a.Name, Address: a.Address()}, asJSON)
			},
		},
		newKeysShow(&dir, &asJSON, stdout),
	)
	return cmd
}

func newKeysShow(dir *string, asJSON *bool, stdout io.Writer) *cobra.Command {
	var url string
	cmd := &cobra.Command{
		Use: "show NAME", Short: "Show an address and, with --node, what it has", Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := accountOf(*dir, args[0])
			if err != nil {
				return err
			}
			k := keyLine{Name: a.Name, Address: a.Address()}
			if url != "" {
				if err := k.ask(cmd.Context(), *dir, url); err != nil {
					return err
				}
			}
			return show(stdout, k, *asJSON)
		},
	}
	cmd.Flags().StringVar(&url, "node", "", "URL of a node to ask")
	return cmd
}

// ask completes the line with what a node says.
func (k *keyLine) ask(ctx context.Context, dir, url string) error {
	return withNode(ctx, url, func(n peer) error {
		if _, err := n.sameNetwork(ctx, dir); err != nil {
			return err
		}
		held, err := n.Account(ctx, k.Address)
		k.Balance, k.Next = &held.Balance, &held.Next
		return err
	})
}

func listKeys(dir string, asJSON bool, stdout io.Writer) error {
	all, err := home.Accounts(dir)
	if err != nil {
		return err
	}
	lines := []keyLine{}
	for _, a := range all {
		lines = append(lines, keyLine{Name: a.Name, Address: a.Address()})
	}
	if asJSON {
		return json.NewEncoder(stdout).Encode(lines)
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(stdout, l); err != nil {
			return err
		}
	}
	return nil
}

// accountOf reads the key of a name.
func accountOf(dir, name string) (home.Account, error) {
	all, err := home.Accounts(dir)
	if err != nil {
		return home.Account{}, err
	}
	i := slices.IndexFunc(all, func(a home.Account) bool { return a.Name == name })
	if i < 0 {
		var names []string
		for _, a := range all {
			names = append(names, a.Name)
		}
		return home.Account{}, fmt.Errorf("%s has no key %q (there are: %s)", dir, name, strings.Join(names, ", "))
	}
	return all[i], nil
}

// oneOfSeveral is a command that is nothing without a subcommand.
func oneOfSeveral(cmd *cobra.Command, args []string) error {
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	if len(args) == 0 {
		return fmt.Errorf("%s wants one of: %s", cmd.CommandPath(), strings.Join(names, ", "))
	}
	return fmt.Errorf("unknown command %q for %s (there are: %s)", args[0], cmd.CommandPath(), strings.Join(names, ", "))
}

func oneName(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%s takes one name, but was given %d", cmd.CommandPath(), len(args))
	}
	return nil
}

// show prints a value as one line, or as JSON.
func show(out io.Writer, v fmt.Stringer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(v)
	}
	_, err := fmt.Fprintln(out, v)
	return err
}
