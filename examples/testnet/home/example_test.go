package home_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/examples/testnet/home"
)

// A network is written once, and each node starts from its own folder.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	h, err := home.Create(dir, home.Params{Nodes: 2, Slot: time.Second, Start: time.Unix(1_700_000_000, 0), Hosts: []string{"10.0.0.7", "b.example.org"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	n, err := home.LoadNode(h.NodeDir(0))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, state, _ := coin.NewLedger(n.Genesis)
	fmt.Println(n.Config.Name, n.Config.Listen, n.Config.HTTP)
	fmt.Println(h.Accounts[0].Name, state.Account(h.Accounts[0].Address()).Balance)

	_, err = home.Create(dir, home.Params{Nodes: 2, Slot: time.Second, Start: time.Unix(1_700_000_000, 0)})
	fmt.Println("again:", err != nil)
	// Output:
	// node0 /ip4/0.0.0.0/tcp/7600 127.0.0.1:7700
	// alice 1000000
	// again: true
}

// A configuration that lies is refused, naming the field.
func ExampleConfigError() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	h, err := home.Create(dir, home.Params{Nodes: 2, Slot: time.Second, Start: time.Unix(1_700_000_000, 0)})
	if err != nil {
		fmt.Println(err)
		return
	}
	key, _ := os.ReadFile(filepath.Join(h.NodeDir(1), home.LeaderFile))
	if err := os.WriteFile(filepath.Join(h.NodeDir(0), home.LeaderFile), key, 0o600); err != nil {
		fmt.Println(err)
		return
	}
	_, err = home.LoadNode(h.NodeDir(0))
	var lie *home.ConfigError
	fmt.Println(errors.As(err, &lie), lie.Field)
	// Output: true leader_key
}
