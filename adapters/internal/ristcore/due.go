package ristcore

// schedule makes the heap have e no later than at. The caller holds index.
func (s *stripe[K, V]) schedule(e *Entry[K, V], at int64) {
	e.due.Store(at)
	if e.at < 0 {
		e.at = len(s.heap)
		s.heap = append(s.heap, e)
	}
	s.up(e.at)
	s.check(e)
}

// check takes e out of the heap if it has been dropped by one who looked at due
// before it was set. The caller holds index.
func (s *stripe[K, V]) check(e *Entry[K, V]) {
	if e.payload.Load() == nil {
		s.remove(e)
	}
}

// remove takes e out of the heap if it is there. The caller holds index.
func (s *stripe[K, V]) remove(e *Entry[K, V]) {
	i, last := e.at, len(s.heap)-1
	if i < 0 {
		return
	}
	e.at = -1
	e.due.Store(never)
	moved := s.heap[last]
	s.heap[last] = nil
	s.heap = s.heap[:last]
	if i < last {
		s.put(i, moved)
		if !s.up(i) {
			s.down(i)
		}
	}
}

func (s *stripe[K, V]) put(i int, e *Entry[K, V]) {
	s.heap[i] = e
	e.at = i
}

func (s *stripe[K, V]) up(i int) (moved bool) {
	e := s.heap[i]
	for i > 0 {
		parent := (i - 1) / 2
		if s.heap[parent].due.Load() <= e.due.Load() {
			break
		}
		s.put(i, s.heap[parent])
		i, moved = parent, true
	}
	s.put(i, e)
	return moved
}

func (s *stripe[K, V]) down(i int) {
	e := s.heap[i]
	for {
		child := 2*i + 1
		if child >= len(s.heap) {
			break
		}
		if r := child + 1; r < len(s.heap) && s.heap[r].due.Load() < s.heap[child].due.Load() {
			child = r
		}
		if e.due.Load() <= s.heap[child].due.Load() {
			break
		}
		s.put(i, s.heap[child])
		i = child
	}
	s.put(i, e)
}

// next returns when the first entry is due.
func (s *stripe[K, V]) next() int64 {
	s.index.Lock()
	defer s.index.Unlock()
	if len(s.heap) == 0 {
		return never
	}
	return s.heap[0].due.Load()
}

// expire drops what has expired by now, and returns it. The caller holds insert.
func (s *stripe[K, V]) expire(now int64) (expired []*Entry[K, V]) {
	s.index.Lock()
	defer s.index.Unlock()
	for len(s.heap) > 0 && s.heap[0].due.Load() <= now {
		// A Put that shortens a lifetime stores the payload and then looks at due.
		// Here due is cleared before the payload is read. So one of the two sees
		// what the other did.
		e, place := s.heap[0], s.heap[0].due.Swap(never)
		p := e.payload.Load()
		switch {
		case p == nil || due(p.deadline) == never:
			s.remove(e)
		case p.deadline > now:
			e.due.Store(p.deadline)
			s.down(0)
			s.check(e)
		default:
			e.due.Store(place)
			if e.payload.CompareAndSwap(p, nil) { // else the next turn finds the other
				e.cell.Store(nil)
				s.remove(e)
				expired = append(expired, e)
			}
		}
	}
	s.live -= int64(len(expired))
	return expired
}
