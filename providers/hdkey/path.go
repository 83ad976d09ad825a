package hdkey

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Hardened is the first index of a hardened child: m/44' is m/(44+Hardened).
const Hardened uint32 = 1 << 31

// maxDepth is how deep a tree goes: its depth is one byte.
const maxDepth = 255

// Errors of this package, wrapped. No error repeats a key, not even a public one.
var (
	// ErrPath: a path is not of the form m/44'/60'/0'/0/7.
	ErrPath = errors.New("hdkey: not a path")
	// ErrKey: a text is not an extended key of the kind that was asked for.
	ErrKey = errors.New("hdkey: not an extended key")
	// ErrSeed: a seed is shorter than 16 or longer than 64 bytes, or is one of those (there is none known) that yield no key.
	ErrSeed = errors.New("hdkey: not a seed")
	// ErrChild: there is no such child: it is hardened and its parent public, deeper than 255, or its index is one of those (nobody
	// ever met one) that yield no key; BIP-32 has the next index used instead.
	ErrChild = errors.New("hdkey: no such child")
)

// Path is a way through the tree, from the master key down. The empty path is the master key itself.
type Path []uint32

// ParsePath reads a path: m, then at most 255 indexes below 2^31, each after a slash, hardened ones with an apostrophe, h or H
// after them. Other spellings (a sign, a leading zero, a space) are ErrPath.
func ParsePath(s string) (Path, error) {
	names := strings.Split(s, "/")
	if names[0] != "m" || len(names) > maxDepth+1 {
		return nil, fmt.Errorf("%w: it does not begin with m, or goes deeper than %d", ErrPath, maxDepth)
	}
	path := make(Path, 0, len(names)-1)
	for _, name := range names[1:] {
		digits := strings.TrimRight(name, "'hH")
		index, err := strconv.ParseUint(digits, 10, 31)
		if err != nil || strconv.FormatUint(index, 10) != digits || len(name) > len(digits)+1 {
			return nil, fmt.Errorf("%w: %q is no index", ErrPath, shorten(name))
		}
		i := uint32(index)
		if name != digits {
			i += Hardened
		}
		path = append(path, i)
	}
	return path, nil
}

// String writes the path with apostrophes: m/44'/60'/0'/0/7.
func (p Path) String() string {
	b := []byte{'m'}
	for _, i := range p {
		b = append(b, '/')
		b = strconv.AppendUint(b, uint64(i&^Hardened), 10)
		if i >= Hardened {
			b = append(b, '\'')
		}
	}
	return string(b)
}

// shorten keeps what a configuration has in the wrong place out of errors.
func shorten(s string) string {
	const enough = 12
	if len(s) > enough {
		return s[:enough] + "…"
	}
	return s
}
