package memory

import "hash/maphash"

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
