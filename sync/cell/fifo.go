package cell

// fifo is an immutable queue: a list to take from, and one to put to, which is turned around when the first is empty.
type fifo[K any] struct{ front, back *link[K] }

type link[K any] struct {
	key  K
	next *link[K]
}

func (q fifo[K]) push(k K) fifo[K] { return fifo[K]{q.front, &link[K]{k, q.back}} }

func (q fifo[K]) pop() (k K, rest fifo[K], ok bool) {
	if q.front == nil {
		for b := q.back; b != nil; b = b.next {
			q.front = &link[K]{b.key, q.front}
		}
		q.back = nil
	}
	if q.front == nil {
		return k, q, false
	}
	return q.front.key, fifo[K]{q.front.next, q.back}, true
}
