package memory

// scratch is the space of whoever writes, used again from update to update. Readers, of whom there may be many at once, have
// none and make what they need.
type scratch struct {
	once     numberSet
	hashes   []uint32
	numbers  []uint32
	accounts []uint32 // the numbers of the accounts that an update writes, 0 for those that have none yet
	lines    []uint32 // likewise, of the accounts of its lines
	post     poster
	places   []ref // of the transactions that are numbered
	lent     bulk
	touched  uint64 // so that looking at a row before it is needed is not optimized away
}

// muchScratch is how many elements are kept for the next update.
const muchScratch = 1 << 14

// sized returns a slice of a length in the space of one that is done with. What is in it is anything.
func sized[T any](s []T, length int) []T {
	if cap(s) >= length && cap(s) <= muchScratch {
		return s[:length]
	}
	return make([]T, length)
}

// few is up to how many names comparing each with each is quicker than a set.
const few = 16

// numberSet is a set of numbers but 0. The zero value is empty, and good for any size once begun.
type numberSet struct {
	slots []uint64
	shift uint
}

// begin makes the set empty, with room for size numbers.
func (s *numberSet) begin(size int) {
	slots, shift := 16, uint(60)
	for slots < 2*size {
		slots, shift = 2*slots, shift-1
	}
	s.slots, s.shift = sized(s.slots, slots), shift
	clear(s.slots)
}

// add reports whether the number was not in the set yet.
func (s *numberSet) add(n uint64) bool {
	const spread = 0x9e3779b97f4a7c15
	for i := int(n * spread >> s.shift); ; i = (i + 1) & (len(s.slots) - 1) { //nolint:gosec // below len
		switch s.slots[i] {
		case 0:
			s.slots[i] = n
			return true
		case n:
			return false
		}
	}
}
