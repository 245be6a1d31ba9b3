package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

const blocksDefault = 100

func (h *handler) chain(w http.ResponseWriter, r *http.Request) {
	from, limit, err := span(r.URL.RawQuery)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	blocks, err := h.node.Blocks(r.Context(), from, limit)
	if blocks == nil {
		blocks = []Block{}
	}
	reply(w, http.StatusOK, Blocks{from, blocks}, err)
}

// span reads and checks the query of /chain.
func span(query string) (from uint64, limit int, err error) {
	from, limit = 1, blocksDefault
	values, err := url.ParseQuery(query)
	if err != nil {
		return 0, 0, err
	}
	for key, given := range values {
		if key != "from" && key != "limit" {
			return 0, 0, fmt.Errorf("unknown parameter %q: want from and limit", key)
		}
		if len(given) > 1 {
			return 0, 0, fmt.Errorf("%s: given %d times", key, len(given))
		}
		n, err := strconv.ParseUint(given[0], 10, 63)
		if err != nil {
			return 0, 0, fmt.Errorf("%s=%q: want a number", key, given[0])
		}
		switch {
		case key == "from" && n == 0:
			return 0, 0, errors.New("from=0: want a block number of 1 or more")
		case key == "limit" && (n == 0 || n > BlocksMax):
			return 0, 0, fmt.Errorf("limit=%d: want 1 to %d", n, BlocksMax)
		case key == "from":
			from = n
		default:
			limit = int(n)
		}
	}
	return from, limit, nil
}
