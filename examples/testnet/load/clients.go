package load

import (
	"sync"

	"github.com/synodkit/synod/examples/testnet/api"
)

// clients are the HTTP clients of the nodes. A node that has moved gets a new one.
type clients struct {
	mu  sync.Mutex
	all map[int]client
}

type client struct {
	*api.Client
	url string
}

func newClients() *clients { return &clients{all: map[int]client{}} }

// of is the client of a node at a URL.
func (c *clients) of(node int, url string) (*api.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, ok := c.all[node]
	if ok && old.url == url {
		return old.Client, nil
	}
	fresh, err := api.NewClient(url)
	if err != nil {
		return nil, err
	}
	if ok {
		old.Close()
	}
	c.all[node] = client{fresh, url}
	return fresh, nil
}

// close ends the idle connections of all.
func (c *clients) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.all {
		one.Close()
	}
}
