package memory

import "hash/maphash"

// few is up to how many names comparing each with each is quicker than a set.
const few = 16

// distinct returns the names without repetitions; the slice itself when there is none.
func distinct[K comparable](names []K) []K {
	if !repeats(names, func(n *K) K { return *n }) {
		return names
	}
	seen := make(map[K]struct{}, len(names))
	var once []K
	for _, n := range names {
		if _, ok := seen[n]; !ok {
			seen[n] = struct{}{}
			once = append(once, n)
		}
	}
	return once
}

// repeats reports whether two of the rows have the same name.
func repeats[R any, K comparable](rows []R, name func(*R) K) bool {
	if len(rows) < 2 {
		return false
	}
	if len(rows) <= few {
		for i := range rows {
			n := name(&rows[i])
			for j := range rows[:i] {
				if name(&rows[j]) == n {
					return true
				}
			}
		}
		return false
	}
	seed := maphash.MakeSeed()
	slots := make([]uint32, 2*len(rows)) // the rows by hash, each plus one
	for i := range rows {
		n := name(&rows[i])
		h := maphash.Comparable(seed, n) % uint64(len(slots))
		for slots[h] != 0 {
			if name(&rows[slots[h]-1]) == n {
				return true
			}
			h = (h + 1) % uint64(len(slots))
		}
		slots[h] = uint32(i) + 1
	}
	return false
}

// numberSet is a set of numbers but 0.
type numberSet struct{ slots []uint64 }

func newNumberSet(size int) *numberSet { return &numberSet{make([]uint64, 2*size)} }

// add reports whether the number was not in the set yet.
func (s *numberSet) add(n uint64) bool {
	const spread = 0x9e3779b97f4a7c15
	i := int(n * spread >> 32 % uint64(len(s.slots))) //nolint:gosec // below len
	for s.slots[i] != 0 {
		if s.slots[i] == n {
			return false
		}
		if i++; i == len(s.slots) {
			i = 0
		}
	}
	s.slots[i] = n
	return true
}

// recall remembers where what was just asked for was found. Its user compares: an answer may be of another name.
type recall struct{ slots [1 << 11]uint32 }

// of returns the slot of a name.
func (r *recall) of(name string) *uint32 {
	const spread = 0x9e3779b1
	h := uint32(len(name)) //nolint:gosec // any number does
	for i := max(0, len(name)-8); i < len(name); i++ {
		h = h*31 + uint32(name[i])
	}
	return &r.slots[h*spread>>21]
}
