package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/synodkit/synod/examples/testnet/api"
)

// A client asks one node. What a node refuses is a *StatusError with the reason.
func ExampleClient() {
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/status":
			fmt.Fprint(w, `{"name":"node0","height":12}`)
		default:
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"coin: transfer refused: the amount is 0, at least 1"}`)
		}
	}))
	defer node.Close()
	c, err := api.NewClient(node.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	s, err := c.Status(context.Background())
	fmt.Println(s.Name, s.Height, err)
	_, err = c.Submit(context.Background(), nil)
	fmt.Println(err)
	// Output:
	// node0 12 <nil>
	// coin: transfer refused: the amount is 0, at least 1 (HTTP 400)
}
