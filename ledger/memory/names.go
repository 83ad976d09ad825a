package memory

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
	seen := make(map[K]struct{}, len(rows))
	for i := range rows {
		seen[name(&rows[i])] = struct{}{}
	}
	return len(seen) < len(rows)
}
