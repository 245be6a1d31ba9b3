package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTopology holds every size to: connected within few hops, nobody dials itself, no pair dials twice, bounded degree.
func TestTopology(t *testing.T) {
	for n := 1; n <= nodesMax; n++ {
		pairs := map[[2]int]bool{}
		neighbours := make([][]int, n)
		for i := range n {
			for _, j := range dials(i, n) {
				require.NotEqual(t, i, j)
				pair := [2]int{min(i, j), max(i, j)}
				require.False(t, pairs[pair], "n=%d: %v twice", n, pair)
				pairs[pair] = true
				neighbours[i], neighbours[j] = append(neighbours[i], j), append(neighbours[j], i)
			}
		}
		for i := range n {
			require.Equal(t, len(neighbours[i]), degree(i, n))
			require.LessOrEqual(t, degree(i, n), max(meshMax-1, 6))
			require.LessOrEqual(t, eccentricity(neighbours, i), 1+n/6, "n=%d node=%d", n, i)
		}
	}
}

// eccentricity is the number of hops from one node to the farthest; n when some node cannot be reached.
func eccentricity(neighbours [][]int, from int) int {
	dist := map[int]int{from: 0}
	far := 0
	for queue := []int{from}; len(queue) > 0; queue = queue[1:] {
		for _, j := range neighbours[queue[0]] {
			if _, seen := dist[j]; !seen {
				dist[j] = dist[queue[0]] + 1
				far = max(far, dist[j])
				queue = append(queue, j)
			}
		}
	}
	if len(dist) < len(neighbours) {
		return len(neighbours)
	}
	return far
}
