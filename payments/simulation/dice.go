package simulation

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// dice is where all chance of a world comes from.
type dice struct{ *rand.Rand }

// newDice makes a stream of chance; streams of one seed do not influence each other.
func newDice(seed, stream uint64) dice {
	return dice{rand.New(rand.NewPCG(seed, stream*0x9e3779b97f4a7c15))} //nolint:gosec // determinism is the point; nothing here is secret
}

// chance is true in so many of a thousand cases.
func (d dice) chance(perMille int) bool { return perMille > 0 && d.IntN(1000) < perMille }

// between draws from both ends inclusive.
func (d dice) between(low, high int64) int64 { return low + d.Int64N(high-low+1) }

// duration draws from both ends inclusive.
func (d dice) duration(low, high time.Duration) time.Duration {
	return time.Duration(d.between(int64(low), int64(high)))
}

// rate draws the rate of a kind of fault for a whole world: off, low or high, per thousand.
func (d dice) rate(low, high int) int { return []int{0, low, high}[d.IntN(3)] }

// id makes a random UUID.
func (d dice) id() uuid.UUID {
	var id uuid.UUID
	for i := 0; i < len(id); i += 8 {
		binary.LittleEndian.PutUint64(id[i:], d.Uint64())
	}
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80 // version and variant
	return id
}

// pick draws one of several; there must be at least one.
func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }
