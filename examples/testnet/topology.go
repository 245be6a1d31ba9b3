package main

const meshMax = 8

// dials lists the nodes that node i dials in a network of n. Up to meshMax nodes it is the full mesh; above, a ring with
// chords: its neighbour, the one after it, and one across, so that the degree stays at most six and the diameter small.
// Of two nodes only one dials the other.
func dials(i, n int) []int {
	if n <= meshMax {
		var out []int
		for j := i + 1; j < n; j++ {
			out = append(out, j)
		}
		return out
	}
	out := []int{(i + 1) % n, (i + 2) % n}
	across := i + n/2
	if across < n {
		out = append(out, across)
	}
	return out
}

// degree counts the peers that node i is to have in a network of n.
func degree(i, n int) int {
	count := len(dials(i, n))
	for j := range n {
		for _, k := range dials(j, n) {
			if k == i {
				count++
			}
		}
	}
	return count
}
