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
type numberSet struct{ slots []uint32 }

func newNumberSet(size int) *numberSet { return &numberSet{make([]uint32, 2*size)} }

// add reports whether the number was not in the set yet.
func (s *numberSet) add(n uint32) bool {
	const spread = 0x9e3779b1
	i := int(n*spread) % len(s.slots)
	for s.slots[i] != 0 {
		if s.slots[i] == n {
			return false
		}
		i = (i + 1) % len(s.slots)
	}
	s.slots[i] = n
	return true
}
