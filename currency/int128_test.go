package currency

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func bigOf(p uint256) *big.Int {
	v := new(big.Int)
	for i := 3; i >= 0; i-- {
		v.Or(v.Lsh(v, 64), new(big.Int).SetUint64(p[i]))
	}
	return v
}

func TestInt128EdgesAgainstBig(t *testing.T) {
	for _, ah := range edges {
		for _, al := range edges {
			for _, bh := range edges {
				for _, bl := range edges {
					checkInt128(t, ah, al, bh, bl)
				}
			}
		}
	}
}

func TestInt128RandomAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 30_000 {
		checkInt128(t, randomWord(r), randomWord(r), randomWord(r), randomWord(r))
	}
}

// checkInt128 compares every function of int128.go with math/big.
func checkInt128(t *testing.T, ah, al, bh, bl uint64) {
	t.Helper()
	a, b := int128{hi: int64(ah), lo: al}, int128{hi: int64(bh), lo: bl}
	if !a.isMin() && !b.isMin() {
		ba, bb := a.big(), b.big()
		sum, ok := a.add(b)
		want := new(big.Int).Add(ba, bb)
		if ok != inRange(want) || ok && sum.big().Cmp(want) != 0 {
			t.Fatalf("%v + %v = %v, %v", ba, bb, sum.big(), ok)
		}
		if a.neg().big().Cmp(new(big.Int).Neg(ba)) != 0 || a.abs().big().Cmp(new(big.Int).Abs(ba)) != 0 {
			t.Fatalf("sign of %v", ba)
		}
		if a.cmp(b) != ba.Cmp(bb) || a.sign() != ba.Sign() {
			t.Fatalf("order of %v and %v", ba, bb)
		}
		if v, ok := a.int64(); ok != ba.IsInt64() || ok && v != ba.Int64() {
			t.Fatalf("int64 of %v", ba)
		}
	}

	ua, ub := uint128{hi: ah, lo: al}, uint128{hi: bh, lo: bl}
	ba, bb := ua.big(), ub.big()
	p := ua.mul(ub)
	if bigOf(p).Cmp(new(big.Int).Mul(ba, bb)) != 0 {
		t.Fatalf("%v · %v = %v", ba, bb, bigOf(p))
	}
	if s, ok := ua.add(ub); ok != (new(big.Int).Add(ba, bb).BitLen() <= 128) || ok && s.big().Cmp(new(big.Int).Add(ba, bb)) != 0 {
		t.Fatalf("%v + %v", ba, bb)
	}
	if ua.cmp(ub) >= 0 && ua.sub(ub).big().Cmp(new(big.Int).Sub(ba, bb)) != 0 {
		t.Fatalf("%v − %v", ba, bb)
	}
	if ua.cmp(ub) != ba.Cmp(bb) {
		t.Fatalf("order of %v and %v", ba, bb)
	}
	if back, ok := uint128FromBig(ba); !ok || back != ua {
		t.Fatalf("from big %v", ba)
	}
	var buf [maxDigits]byte
	if got := string(buf[ua.digits(&buf):]); got != ba.String() {
		t.Fatalf("digits of %v: %s", ba, got)
	}
	if w, ok := ua.mulWord(bl); ok != (new(big.Int).Mul(ba, new(big.Int).SetUint64(bl)).BitLen() <= 128) ||
		ok && w.big().Cmp(new(big.Int).Mul(ba, new(big.Int).SetUint64(bl))) != 0 {
		t.Fatalf("%v · %v = %v, %v", ba, bl, w.big(), ok)
	}
	word := uint128{lo: al}
	if word.cmp(ub) <= 0 && bb.Sign() > 0 { // as mulDiv demands
		q, rem := ua.mulDiv(al, ub)
		wq, wr := new(big.Int).QuoRem(new(big.Int).Mul(ba, word.big()), bb, new(big.Int))
		if q.big().Cmp(wq) != 0 || rem.big().Cmp(wr) != 0 {
			t.Fatalf("%v · %v / %v = %v rest %v", ba, al, bb, q.big(), rem.big())
		}
	}
	// A dividend of four independent words, not only a product.
	for _, n := range []uint256{p, {bl, al, ah, bh}} {
		if bb.Sign() == 0 {
			continue
		}
		q, rem := n.div(ub)
		wq, wr := new(big.Int).QuoRem(bigOf(n), bb, new(big.Int))
		if bigOf(q).Cmp(wq) != 0 || rem.big().Cmp(wr) != 0 {
			t.Fatalf("%v / %v = %v rest %v", bigOf(n), bb, bigOf(q), rem.big())
		}
	}
	if bl != 0 {
		q, rem := ua.divSmall(bl)
		wq, wr := new(big.Int).QuoRem(ba, new(big.Int).SetUint64(bl), new(big.Int))
		if q.big().Cmp(wq) != 0 || wr.Cmp(new(big.Int).SetUint64(rem)) != 0 {
			t.Fatalf("%v / %v", ba, bl)
		}
	}
}

func TestPow10(t *testing.T) {
	for n := range pow10 {
		require.Zero(t, pow10[n].big().Cmp(pow10Oracle(n)), n)
	}
	_, ok := uint128{lo: 1}.mulPow10(maxPow10 + 1)
	require.False(t, ok)
	zero, ok := uint128{}.mulPow10(1 << 40)
	require.True(t, ok)
	require.True(t, zero.isZero())
}

func TestTheSmallestIntegerIsNoMagnitude(t *testing.T) {
	_, ok := uint128{hi: 1 << 63}.signed(true)
	require.False(t, ok, "−2¹²⁷ must not leave the symmetric range")
	v, ok := maxMagnitude.signed(true)
	require.True(t, ok)
	require.Equal(t, bigMin.String(), v.big().String())
}

func FuzzArithmetic(f *testing.F) {
	f.Add(uint64(1), uint64(2), uint64(3), uint64(4))
	f.Add(uint64(1<<63), uint64(0), uint64(1<<63-1), uint64(1<<64-1))
	f.Fuzz(func(t *testing.T, ah, al, bh, bl uint64) { checkInt128(t, ah, al, bh, bl) })
}
