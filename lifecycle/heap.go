package lifecycle

import "container/heap"

// readyHeap gives the component of the earliest band first and, within a
// band, the one that was registered last.
type readyHeap struct {
	band  []Band
	items []int
}

func (h *readyHeap) push(i int) { heap.Push((*byBand)(h), i) }
func (h *readyHeap) pop() int   { return heap.Pop((*byBand)(h)).(int) }

// byBand is the heap.Interface of a readyHeap, apart so that its methods do
// not stand in the way.
type byBand readyHeap

func (h *byBand) Len() int { return len(h.items) }

func (h *byBand) Less(a, b int) bool {
	i, j := h.items[a], h.items[b]
	if h.band[i] != h.band[j] {
		return h.band[i] < h.band[j]
	}
	return i > j
}

func (h *byBand) Swap(a, b int) { h.items[a], h.items[b] = h.items[b], h.items[a] }
func (h *byBand) Push(x any)    { h.items = append(h.items, x.(int)) }

func (h *byBand) Pop() any {
	last := len(h.items) - 1
	x := h.items[last]
	h.items = h.items[:last]
	return x
}
