package policy

import "time"

// Deadlines finds the keys that have reached their deadlines. It is a heap that knows the position of each key, so it
// holds at most one deadline per key.
type Deadlines struct {
	heap []due
	at   []uint32 // by key: its position in heap, from 1; 0: it is not in
}

type due struct {
	deadline time.Duration
	id       uint32
}

// NewDeadlines returns an empty heap for keys below distinct.
func NewDeadlines(distinct int) *Deadlines {
	return &Deadlines{at: make([]uint32, distinct)}
}

// Set replaces the deadline of a key. [Never] removes it.
func (d *Deadlines) Set(id uint32, deadline time.Duration) {
	i := int(d.at[id])
	switch {
	case deadline == Never:
		d.Remove(id)
		return
	case i == 0:
		d.heap = append(d.heap, due{deadline, id})
		i = len(d.heap)
		d.at[id] = uint32(i)
	default:
		d.heap[i-1].deadline = deadline
	}
	d.fix(i - 1)
}

// Of returns the deadline of a key, or Never.
func (d *Deadlines) Of(id uint32) time.Duration {
	if i := d.at[id]; i > 0 {
		return d.heap[i-1].deadline
	}
	return Never
}

// Remove removes the deadline of a key.
func (d *Deadlines) Remove(id uint32) {
	i := int(d.at[id]) - 1
	if i < 0 {
		return
	}
	last := len(d.heap) - 1
	d.swap(i, last)
	d.heap = d.heap[:last]
	d.at[id] = 0
	if i < last {
		d.fix(i)
	}
}

// Expired returns a key whose deadline is now or earlier, and removes its deadline. It reports false if there is none.
func (d *Deadlines) Expired(now time.Duration) (id uint32, ok bool) {
	if len(d.heap) == 0 || d.heap[0].deadline > now {
		return 0, false
	}
	id = d.heap[0].id
	d.Remove(id)
	return id, true
}

func (d *Deadlines) swap(i, j int) {
	d.heap[i], d.heap[j] = d.heap[j], d.heap[i]
	d.at[d.heap[i].id], d.at[d.heap[j].id] = uint32(i+1), uint32(j+1)
}

// fix restores the heap order for the element at position i.
func (d *Deadlines) fix(i int) {
	for i > 0 && d.heap[i].deadline < d.heap[(i-1)/2].deadline {
		d.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(d.heap); child++ {
			if d.heap[child].deadline < d.heap[least].deadline {
				least = child
			}
		}
		if least == i {
			return
		}
		d.swap(i, least)
		i = least
	}
}
