package currency

import (
	"math/big"
	"math/bits"
)

// All 128-bit arithmetic is in this file. math/big is its slow twin: the tests
// compare every function with it.

// int128 is a two's complement integer. Amounts use the symmetric range
// ±(2¹²⁷−1); −2¹²⁷ never leaves this file, so negation cannot fail.
type int128 struct {
	hi int64
	lo uint64
}

// uint128 is a magnitude.
type uint128 struct{ hi, lo uint64 }

// uint256 is the product of two magnitudes, least significant word first.
type uint256 [4]uint64

var maxMagnitude = uint128{hi: 1<<63 - 1, lo: 1<<64 - 1}

func int128From(v int64) int128 { return int128{hi: v >> 63, lo: uint64(v)} }

func (a int128) isMin() bool  { return a.hi == -1<<63 && a.lo == 0 }
func (a int128) isZero() bool { return a.hi == 0 && a.lo == 0 }

func (a int128) sign() int {
	if a.hi < 0 {
		return -1
	}
	if a.isZero() {
		return 0
	}
	return 1
}

func (a int128) cmp(b int128) int {
	if a.hi != b.hi {
		if a.hi < b.hi {
			return -1
		}
		return 1
	}
	return compareWords(a.lo, b.lo)
}

// add returns a+b and whether it is in the symmetric range.
func (a int128) add(b int128) (int128, bool) {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi, _ := bits.Add64(uint64(a.hi), uint64(b.hi), carry)
	s := int128{hi: int64(hi), lo: lo}
	overflow := (a.hi^s.hi)&(b.hi^s.hi) < 0
	return s, !overflow && !s.isMin()
}

// neg returns −a. It is exact on the symmetric range.
func (a int128) neg() int128 {
	lo, borrow := bits.Sub64(0, a.lo, 0)
	hi, _ := bits.Sub64(0, uint64(a.hi), borrow)
	return int128{hi: int64(hi), lo: lo}
}

// abs returns |a|.
func (a int128) abs() uint128 {
	if a.hi < 0 {
		a = a.neg()
	}
	return uint128{hi: uint64(a.hi), lo: a.lo}
}

// int64 returns a when it fits.
func (a int128) int64() (int64, bool) {
	v := int64(a.lo)
	return v, a.hi == v>>63
}

func (a int128) big() *big.Int {
	b := a.abs().big()
	if a.hi < 0 {
		b.Neg(b)
	}
	return b
}

// signed gives a magnitude a sign; false means that it is out of range.
func (a uint128) signed(negative bool) (int128, bool) {
	if a.hi>>63 != 0 {
		return int128{}, false
	}
	v := int128{hi: int64(a.hi), lo: a.lo}
	if negative {
		v = v.neg()
	}
	return v, true
}

func (a uint128) isZero() bool { return a.hi == 0 && a.lo == 0 }

func (a uint128) cmp(b uint128) int {
	if a.hi != b.hi {
		return compareWords(a.hi, b.hi)
	}
	return compareWords(a.lo, b.lo)
}

// compareWords is cmp.Compare without a branch, which amounts in no order would
// make the processor guess.
func compareWords(a, b uint64) int {
	above, below := 0, 0
	if a > b {
		above = 1
	}
	if a < b {
		below = 1
	}
	return above - below
}

// add returns a+b and whether it fits.
func (a uint128) add(b uint128) (uint128, bool) {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi, carry := bits.Add64(a.hi, b.hi, carry)
	return uint128{hi: hi, lo: lo}, carry == 0
}

// sub returns a−b, for a ≥ b.
func (a uint128) sub(b uint128) uint128 {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	hi, _ := bits.Sub64(a.hi, b.hi, borrow)
	return uint128{hi: hi, lo: lo}
}

// mul returns the whole product.
func (a uint128) mul(b uint128) uint256 {
	var p uint256
	var c uint64
	h00, l00 := bits.Mul64(a.lo, b.lo)
	h01, l01 := bits.Mul64(a.lo, b.hi)
	h10, l10 := bits.Mul64(a.hi, b.lo)
	h11, l11 := bits.Mul64(a.hi, b.hi)
	p[0] = l00
	p[1], c = bits.Add64(h00, l01, 0)
	p[2], c = bits.Add64(h01, l11, c)
	p[3] = h11 + c
	p[1], c = bits.Add64(p[1], l10, 0)
	p[2], c = bits.Add64(p[2], h10, c)
	p[3] += c
	return p
}

// mulWord returns a·w and whether it fits.
func (a uint128) mulWord(w uint64) (uint128, bool) {
	carry, lo := bits.Mul64(a.lo, w)
	over, hi := bits.Mul64(a.hi, w)
	hi, c := bits.Add64(hi, carry, 0)
	return uint128{hi: hi, lo: lo}, over|c == 0
}

// divSmall returns a/d and the remainder, for d > 0.
func (a uint128) divSmall(d uint64) (uint128, uint64) {
	if a.hi == 0 {
		return uint128{lo: a.lo / d}, a.lo % d
	}
	hi, r := bits.Div64(0, a.hi, d)
	lo, r := bits.Div64(r, a.lo, d)
	return uint128{hi: hi, lo: lo}, r
}

// mulDiv returns a·w/d and the remainder, for w ≤ d.
func (a uint128) mulDiv(w uint64, d uint128) (q, r uint128) {
	if a.hi == 0 && d.hi == 0 { // the usual amount
		hi, lo := bits.Mul64(a.lo, w)
		q.lo, r.lo = bits.Div64(hi, lo, d.lo) // hi < d.lo, as hi < w
		return q, r
	}
	wide, r := a.mul(uint128{lo: w}).div(d)
	q, _ = wide.small() // not above a
	return q, r
}

func (a uint128) big() *big.Int {
	b := new(big.Int).SetUint64(a.hi)
	return b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(a.lo))
}

// uint128FromBig returns |v| when it fits.
func uint128FromBig(v *big.Int) (uint128, bool) {
	if v.BitLen() > 128 {
		return uint128{}, false
	}
	var buf [16]byte
	v.FillBytes(buf[:])
	return uint128{hi: beUint64(buf[:8]), lo: beUint64(buf[8:])}, true
}

func beUint64(b []byte) (v uint64) {
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}

// small returns the product as a magnitude when it fits.
func (p uint256) small() (uint128, bool) {
	return uint128{hi: p[1], lo: p[0]}, p[2] == 0 && p[3] == 0
}

// div returns p/d and the remainder, for d > 0.
func (p uint256) div(d uint128) (q uint256, r uint128) {
	if d.hi == 0 {
		var rem uint64
		for i := 3; i >= 0; i-- {
			if rem == 0 && p[i] < d.lo { // the usual amount has one word
				rem = p[i]
				continue
			}
			q[i], rem = bits.Div64(rem, p[i], d.lo)
		}
		return q, uint128{lo: rem}
	}
	// Knuth, TAOCP volume 2, 4.3.1 algorithm D, with a divisor of two words:
	// shift so that its top bit is set, then one quotient word at a time.
	s := uint(bits.LeadingZeros64(d.hi))
	v1, v0 := d.hi<<s|d.lo>>(64-s), d.lo<<s // a shift by 64 is 0 in Go
	u := [5]uint64{
		p[0] << s,
		p[1]<<s | p[0]>>(64-s),
		p[2]<<s | p[1]>>(64-s),
		p[3]<<s | p[2]>>(64-s),
		p[3] >> (64 - s),
	}
	for j := 2; j >= 0; j-- {
		q[j] = divStep(u[j:j+3], v1, v0)
	}
	return q, uint128{hi: u[1] >> s, lo: u[0]>>s | u[1]<<(64-s)}
}

// divStep divides the three words of u by the two of v, with u[2:] < v, leaves
// the remainder in u and returns the one quotient word.
func divStep(u []uint64, v1, v0 uint64) uint64 {
	qhat := ^uint64(0)
	if u[2] < v1 {
		var rhat uint64
		qhat, rhat = bits.Div64(u[2], u[1], v1)
		for {
			hi, lo := bits.Mul64(qhat, v0)
			if hi < rhat || hi == rhat && lo <= u[0] {
				break
			}
			qhat--
			var carry uint64
			if rhat, carry = bits.Add64(rhat, v1, 0); carry != 0 {
				break
			}
		}
	}
	for {
		// u − qhat·v; a borrow means qhat is still one too large.
		h0, l0 := bits.Mul64(qhat, v0)
		h1, l1 := bits.Mul64(qhat, v1)
		m1, c := bits.Add64(h0, l1, 0)
		m2 := h1 + c
		r0, b := bits.Sub64(u[0], l0, 0)
		r1, b := bits.Sub64(u[1], m1, b)
		r2, b := bits.Sub64(u[2], m2, b)
		if b == 0 {
			u[0], u[1], u[2] = r0, r1, r2
			return qhat
		}
		qhat--
	}
}

// maxPow10 is the largest power of ten in a uint128: 10³⁸.
const maxPow10 = 38

var pow10 = func() (p [maxPow10 + 1]uint128) {
	p[0].lo = 1
	for i := 1; i < len(p); i++ {
		p[i], _ = p[i-1].mul(uint128{lo: 10}).small()
	}
	return p
}()

// wordPow10 is the largest power of ten in one word: 10¹⁹.
const wordPow10 = 19

// mulPow10 returns a·10ⁿ and whether it fits.
func (a uint128) mulPow10(n uint) (uint128, bool) {
	switch {
	case n <= wordPow10:
		return a.mulWord(pow10[n].lo)
	case a.isZero():
		return a, true
	case n > maxPow10:
		return uint128{}, false
	default:
		return a.mul(pow10[n]).small()
	}
}

// maxDigits is the length of 2¹²⁸−1 in decimal.
const maxDigits = 39

// digits writes a in decimal to the end of buf and returns where it begins.
func (a uint128) digits(buf *[maxDigits]byte) int {
	const chunk = 1e18 // nine pairs
	i := len(buf)
	for a.hi != 0 || a.lo >= chunk {
		var r uint64
		a, r = a.divSmall(chunk)
		for range 9 {
			i -= 2
			buf[i], buf[i+1] = pairs[r%100*2], pairs[r%100*2+1]
			r /= 100
		}
	}
	r := a.lo
	for ; r >= 10; r /= 100 {
		i -= 2
		buf[i], buf[i+1] = pairs[r%100*2], pairs[r%100*2+1]
	}
	if r > 0 || i == len(buf) {
		i--
		buf[i] = byte('0' + r)
	}
	return i
}

// pairs are the numbers below 100, to write two digits at a time.
const pairs = "0001020304050607080910111213141516171819" +
	"2021222324252627282930313233343536373839" +
	"4041424344454647484950515253545556575859" +
	"6061626364656667686970717273747576777879" +
	"8081828384858687888990919293949596979899"
