package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/examples/testnet/home"
)

// sendOptions is what the command line of tx send asks for.
type sendOptions struct {
	node, home, from, to string
	amount, fee          uint64
	wait, json           bool
	timeout              time.Duration
}

func newTx(stdout io.Writer) *cobra.Command {
	cmd := &cobra.Command{Use: "tx", Short: "Transfers: send", RunE: oneOfSeveral}
	cmd.AddCommand(newSend(stdout))
	return cmd
}

func newSend(stdout io.Writer) *cobra.Command {
	var o sendOptions
	cmd := &cobra.Command{
		Use:   "send --from NAME --to ADDRESS --amount N",
		Short: "Sign a transfer and hand it to a node; status 0 says that it is durable there or, with --wait, in a block",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withNode(cmd.Context(), o.node, func(n peer) error { return o.send(cmd.Context(), n, stdout) })
		},
	}
	f := cmd.Flags()
	nodeFlag(cmd, &o.node)
	f.StringVar(&o.home, "home", homeDefault, "the network's directory, as init wrote it: its genesis and keys")
	f.StringVar(&o.from, "from", "", "name of the key that pays")
	f.StringVar(&o.to, "to", "", "address that is paid, or the name of a key")
	f.Uint64Var(&o.amount, "amount", 0, "how much")
	f.Uint64Var(&o.fee, "fee", coin.FeeMin, "what the maker of the block is paid beside")
	f.BoolVar(&o.wait, "wait", false, "wait until it is in a block, or refused")
	f.DurationVar(&o.timeout, "timeout", 0, "with --wait: how long at most (0: until Ctrl-C)")
	f.BoolVar(&o.json, "json", false, "print a JSON object instead of a line")
	for _, name := range []string{"from", "to", "amount"} {
		_ = cmd.MarkFlagRequired(name)
	}
	return cmd
}

// sent is what tx send prints.
type sent struct {
	api.Tx
	From   coin.Address `json:"from"`
	To     coin.Address `json:"to"`
	Amount uint64       `json:"amount"`
	Fee    uint64       `json:"fee"`
	Nonce  uint64       `json:"nonce"`
}

func (s sent) String() string {
	what := fmt.Sprintf("%s %s: %s pays %s %d, fee %d, nonce %d", s.Hash, s.Stage, s.From, s.To, s.Amount, s.Fee, s.Nonce)
	switch {
	case s.Block != nil:
		what += fmt.Sprintf(", block %d of slot %d, %s", s.Block.Height, s.Block.Slot, s.Block.Hash)
	case s.Reason != "":
		what += ": " + s.Reason
	}
	return what
}

// send signs for the genesis in --home, which must be the node's too.
func (o sendOptions) send(ctx context.Context, n peer, stdout io.Writer) error {
	from, err := accountOf(o.home, o.from)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	to, err := o.payee()
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	genesis, err := n.sameNetwork(ctx, o.home)
	if err != nil {
		return err
	}
	account, err := n.Account(ctx, from.Address())
	if err != nil {
		return err
	}
	t := coin.Sign(from.Key, genesis, coin.Transfer{To: to, Amount: o.amount, Fee: o.fee, Nonce: account.Next})
	id, err := n.Submit(ctx, t.Bytes())
	if err != nil {
		return err
	}
	s := sent{
		Tx: api.Tx{Hash: id, Stage: api.Pending}, From: from.Address(), To: to, Amount: t.Amount, Fee: t.Fee, Nonce: t.Nonce,
	}
	if id != t.ID() {
		return fmt.Errorf("%s took another transfer than the one sent: %v instead of %v", o.node, id, t.ID())
	}
	if o.wait {
		if s.Tx, err = o.await(ctx, n, id); err != nil {
			return fmt.Errorf("%v was accepted, but %w", id, err)
		}
	}
	if err := show(stdout, s, o.json); err != nil {
		return err
	}
	if s.Stage == api.Refused {
		return fmt.Errorf("%v was refused: %s", id, s.Reason)
	}
	return nil
}

func (o sendOptions) payee() (coin.Address, error) {
	a, err := coin.ParseAddress(o.to)
	if err == nil {
		return a, nil
	}
	if home.CheckName(o.to) == nil {
		if named, err := accountOf(o.home, o.to); err == nil {
			return named.Address(), nil
		}
	}
	return a, fmt.Errorf("%q is neither an address nor the name of a key in %s: %w", o.to, o.home, err)
}

// await asks again whenever the node says that something has changed.
func (o sendOptions) await(ctx context.Context, n peer, id chain.Hash) (api.Tx, error) {
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("%v have passed", o.timeout))
		defer cancel()
	}
	for _, err := range n.Events(ctx) {
		if ctx.Err() != nil {
			err = fmt.Errorf("is not in a block yet: %w", context.Cause(ctx))
		}
		if err != nil {
			return api.Tx{}, err
		}
		t, err := n.Tx(ctx, id)
		switch {
		case err != nil:
			return t, err
		case t.Stage == api.Unknown:
			return t, errors.New("the node has forgotten it")
		case t.Stage != api.Pending:
			return t, nil
		}
	}
	return api.Tx{}, ctx.Err()
}
