package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/examples/testnet/load"
)

func twoNodes(height uint64) moment {
	views := []view{
		{Name: "node0", Height: height, Slot: 2 * height, Peers: 1, URL: "http://127.0.0.1:9000", Mempool: api.Mempool{Count: 7, Bytes: 900}},
		{Name: "node1", Height: height - 1, Slot: 2*height - 2, Peers: 1, Rollbacks: 1, URL: "http://127.0.0.1:9001"},
	}
	views[0].Tip[0], views[1].Tip[0] = 0xab, 0xcd
	return moment{views: views, slot: 9, since: 4 * time.Second}
}

func TestTable(t *testing.T) {
	require.Equal(t, []string{
		"slot 9  up 4s  Ctrl-C ends",
		"node    height  tip         slot peers rollbacks violations mempool  http",
		"node0        4  ab000000       8     1         0          0       7  127.0.0.1:9000",
		"node1        3  cd000000       6     1         1          0       0  127.0.0.1:9001",
	}, table(twoNodes(4)))
	m := twoNodes(4)
	m.cut, m.loaded, m.totals, m.views[1].URL = true, true, load.Totals{Accepted: 9, OnChain: 5}, ""
	require.Equal(t, "slot 9  up 4s  transfers 9 on chain 5  cut  node1 down  Ctrl-C ends", table(m)[0])
}

// TestLines: away from a terminal there is one line for each new height and no control character.
func TestLines(t *testing.T) {
	var out bytes.Buffer
	d := display{out: terminal{Writer: &out}}
	d.show(twoNodes(4))
	d.show(twoNodes(4))
	d.show(twoNodes(5))
	require.Equal(t, "   4.0s slot 9 block 4 ab000000 heights 4 3 peers 1 1 rollbacks 1 violations 0 mempool 7 rss 0M\n"+
		"   4.0s slot 9 block 5 ab000000 heights 5 4 peers 1 1 rollbacks 1 violations 0 mempool 7 rss 0M\n", out.String())
}

// TestTold: what the faults have done is told once, above the table or between the lines.
func TestTold(t *testing.T) {
	for _, size := range []func() (int, int, error){nil, func() (int, int, error) { return 90, 24, nil }} {
		var out bytes.Buffer
		d := display{out: terminal{Writer: &out, size: size}}
		m := twoNodes(4)
		d.show(m)
		m.faults = []fault{{name: killFault, said: "node4 came back"}}
		d.show(m)
		d.show(m)
		m.faults = append(m.faults, fault{name: partitionFault, missing: []string{"a rollback"}})
		d.show(m)
		require.Equal(t, 1, strings.Count(out.String(), "kill-restart: node4 came back\n"))
		require.Equal(t, 1, strings.Count(out.String(), "partition: not seen: a rollback\n"))
	}
}

// TestRedraw: on a terminal the table overwrites itself, is no wider than the screen and no higher.
func TestRedraw(t *testing.T) {
	var out bytes.Buffer
	d := display{out: terminal{Writer: &out, size: func() (int, int, error) { return 40, 4, nil }}}
	d.show(twoNodes(4))
	require.NotContains(t, out.String(), "\x1b")
	rows := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	require.Equal(t, "... 2 more", rows[len(rows)-1])
	for _, row := range rows {
		require.Less(t, len(row), 40)
	}
	out.Reset()
	d.show(twoNodes(5))
	require.True(t, strings.HasPrefix(out.String(), "\x1b[3A\x1b[J"))

	out.Reset()
	d = display{out: terminal{Writer: &out, size: func() (int, int, error) { return 0, 0, errors.New("gone") }}}
	d.show(twoNodes(5))
	require.Len(t, strings.Split(out.String(), "\n"), 5)
}
