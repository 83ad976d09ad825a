package memory

// index finds a record by its name: a hash table of open addressing that grows a segment at a time (extendible hashing), so
// no write ever waits for a whole table to be moved. It keeps hashes and numbers only; what a number means, and whether
// it has the name, is its user's business.
type index struct {
	depth    uint // the directory has 1<<depth entries
	segments []*segment
}

const (
	segmentLen = 510 // so that a segment is a page
	segmentMax = segmentLen * 7 / 8
)

// segment holds the entries whose hashes begin with the same bits.
type segment struct {
	depth uint // how many
	used  int
	slots [segmentLen]slot
}

// slot is a number with its hash; number 0 is an empty slot. Entries are found from home on.
type slot struct{ hash, number uint32 }

// home returns the slot where a hash belongs. All hashes of a segment begin alike, so the other bits are brought up first.
func home(hash uint32) uint32 {
	const spread = 0x9e3779b1
	return uint32(uint64(hash*spread) * segmentLen >> 32)
}

func next(i uint32) uint32 {
	if i++; i == segmentLen {
		return 0
	}
	return i
}

func (x *index) segment(hash uint32) *segment {
	return x.segments[hash>>(32-x.depth)&(1<<x.depth-1)] // a shift by 32 gives 0
}

// touch looks at the slot where a hash belongs. What it returns means nothing. Nothing here waits for what it reads, so a
// processor looks at many slots at the same time, which it does not while it searches.
func (x *index) touch(hash uint32) uint32 {
	if len(x.segments) == 0 {
		return 0
	}
	return x.segment(hash).slots[home(hash)].hash
}

// find returns the number with the hash that is meant, or 0.
func (x *index) find(hash uint32, is func(number uint32) bool) uint32 {
	if len(x.segments) == 0 {
		return 0
	}
	s := x.segment(hash)
	for i := home(hash); s.slots[i].number != 0; i = next(i) {
		if s.slots[i].hash == hash && is(s.slots[i].number) {
			return s.slots[i].number
		}
	}
	return 0
}

// first returns the first number with a hash, or 0. It is the right one most often, but whoever asks has to see.
func (x *index) first(hash uint32) uint32 {
	if len(x.segments) == 0 {
		return 0
	}
	s := x.segment(hash)
	for i := home(hash); s.slots[i].number != 0; i = next(i) {
		if s.slots[i].hash == hash {
			return s.slots[i].number
		}
	}
	return 0
}

// seat is where a number is, or would be put.
type seat struct {
	segment *segment
	hash, i uint32
	number  uint32 // 0: the seat is free
}

// seek finds the number with the hash that is meant, or the seat for it.
func (x *index) seek(hash uint32, is func(number uint32) bool) seat {
	if len(x.segments) == 0 {
		return seat{hash: hash}
	}
	s := seat{segment: x.segment(hash), hash: hash, i: home(hash)}
	s.on(is)
	return s
}

// on goes on from a seat up to the number that is meant, or a free seat.
func (s *seat) on(is func(number uint32) bool) {
	slots := &s.segment.slots
	for i := s.i; ; i = next(i) {
		if slots[i].number == 0 || slots[i].hash == s.hash && is(slots[i].number) {
			s.i, s.number = i, slots[i].number
			return
		}
	}
}

// again is seek for a hash that was sought before, and quick when little was added since. Nothing may have been removed.
func (x *index) again(s *seat, is func(number uint32) bool) {
	if s.segment == nil || s.segment != x.segment(s.hash) {
		*s = x.seek(s.hash, is)
	} else if s.number == 0 {
		s.on(is)
	}
}

// sit puts a number on a free seat that was just found.
func (x *index) sit(s *seat, number uint32) {
	if s.segment == nil || s.segment.used >= segmentMax {
		x.add(s.hash, number)
		return
	}
	s.segment.slots[s.i] = slot{s.hash, number}
	s.segment.used++
}

// add adds a number whose name is not there yet.
func (x *index) add(hash, number uint32) {
	if len(x.segments) == 0 {
		x.segments = []*segment{new(segment)}
	}
	s := x.segment(hash)
	for s.used >= segmentMax && s.depth < 32 {
		x.split(hash)
		s = x.segment(hash)
	}
	s.put(slot{hash, number})
}

func (s *segment) put(e slot) {
	i := home(e.hash)
	for s.slots[i].number != 0 {
		i = next(i)
	}
	s.slots[i] = e
	s.used++
}

// split divides the segment of a hash in two, by one more bit.
func (x *index) split(hash uint32) {
	old := x.segment(hash)
	if old.depth == x.depth {
		doubled := make([]*segment, 2*len(x.segments))
		for i := range doubled {
			doubled[i] = x.segments[i/2]
		}
		x.segments, x.depth = doubled, x.depth+1
	}
	low, high := &segment{depth: old.depth + 1}, &segment{depth: old.depth + 1}
	bit := uint32(1) << (31 - old.depth)
	for _, e := range old.slots {
		switch {
		case e.number == 0:
		case e.hash&bit == 0:
			low.put(e)
		default:
			high.put(e)
		}
	}
	span := 1 << (x.depth - old.depth)
	first := int(hash>>(32-x.depth)) &^ (span - 1)
	for i := range span {
		if i < span/2 {
			x.segments[first+i] = low
		} else {
			x.segments[first+i] = high
		}
	}
}

// replace gives a name another number.
func (x *index) replace(hash, number, other uint32) {
	s := x.segment(hash)
	for i := home(hash); s.slots[i].number != 0; i = next(i) {
		if s.slots[i] == (slot{hash, number}) {
			s.slots[i].number = other
			return
		}
	}
}

// remove takes a number out and moves what follows it back, so that nothing is lost behind the gap.
func (x *index) remove(hash, number uint32) {
	s := x.segment(hash)
	i := home(hash)
	for s.slots[i] != (slot{hash, number}) {
		if s.slots[i].number == 0 {
			return
		}
		i = next(i)
	}
	for j := next(i); s.slots[j].number != 0; j = next(j) {
		if h := home(s.slots[j].hash); (j+segmentLen-h)%segmentLen >= (j+segmentLen-i)%segmentLen { // its home is not between the gap and itself
			s.slots[i] = s.slots[j]
			i = j
		}
	}
	s.slots[i] = slot{}
	s.used--
}

func (x *index) clone() index {
	c := index{depth: x.depth, segments: make([]*segment, len(x.segments))}
	for i, s := range x.segments {
		if i > 0 && s == x.segments[i-1] {
			c.segments[i] = c.segments[i-1]
			continue
		}
		own := *s
		c.segments[i] = &own
	}
	return c
}
