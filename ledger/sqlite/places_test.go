package sqlite

import (
	"bytes"
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
)

// TestMarksLeadBack walks back from lines of long accounts as seek does and counts the lines that are looked at.
func TestMarksLeadBack(t *testing.T) {
	const n = 300_000
	type pointers struct{ back, skip int64 }
	lines := make([]pointers, n+1) // line v has version v
	var m marks
	for v := int64(1); v <= n; v++ {
		if v%blockLines != 0 {
			continue
		}
		lines[v].back = 0
		m, lines[v].back, lines[v].skip = m.push(v)
		again, err := readMarks(m.bytes())
		require.NoError(t, err)
		require.Equal(t, m, again)
		require.LessOrEqual(t, len(m), bits.Len64(uint64(v/blockLines))+1)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	most := 0
	for range 20_000 {
		at := 1 + rnd.Int64N(n)
		want := 1 + rnd.Int64N(at)
		looked := 0
		for at > want {
			looked++
			switch p := lines[at]; {
			case p.skip >= want:
				at = p.skip
			case p.back >= want:
				looked++
				at = p.back
			default:
				looked += 2 * int(min(1, p.back))
				at--
			}
		}
		require.Equal(t, want, at)
		most = max(most, looked)
	}
	t.Logf("at most %d lines looked at among %d", most, n)
	assert.LessOrEqual(t, most, 2*blockLines+4*bits.Len(n/blockLines))
}

func TestTornMarks(t *testing.T) {
	for _, b := range [][]byte{{1}, {0x80}, {1, 0x80}, {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}} {
		_, err := readMarks(b)
		assert.ErrorIs(t, err, ledger.Corrupt)
	}
}

// compareWithBound says how the bytes of an id compare with the bound of a text.
func compareWithBound(id uuid.UUID, text string) int { return bytes.Compare(id[:], idBound(text)) }

func TestIDBound(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	near := func(text string) []string {
		cut := rnd.IntN(len(text) + 1)
		b := []byte(text)
		b[rnd.IntN(len(b))] = " -/09:Aafg~\x00\xff"[rnd.IntN(12)]
		return []string{text, text[:cut], text[:cut] + "~", text[:cut] + " ", text + "0", string(b), string(b[:cut]), strings.ToUpper(text), "", "z", "-"}
	}
	for range 2_000 {
		var a, b uuid.UUID
		for i := range a {
			a[i], b[i] = byte(rnd.IntN(256)), byte(rnd.IntN(256))
			if rnd.IntN(3) == 0 {
				a[i] = []byte{0, 0xff}[rnd.IntN(2)]
			}
		}
		copy(b[:], a[:rnd.IntN(17)])
		for _, text := range near(a.String()) {
			for _, id := range []uuid.UUID{a, b, {}, uuid.Max} {
				if want, found := strings.Compare(id.String(), text), compareWithBound(id, text); want != found {
					t.Fatalf("%s compares as %d with %q, its bytes as %d", id, want, text, found)
				}
			}
		}
	}
}

func FuzzIDBound(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), "30313233-3435-3637-3839-616263646566")
	f.Add([]byte("0123456789abcdef"), "3031323")
	f.Add(make([]byte, 16), "00000000-0000-0000-0000-00000000000/")
	f.Fuzz(func(t *testing.T, raw []byte, text string) {
		id, err := uuid.FromBytes(raw)
		if err != nil {
			return
		}
		if want := strings.Compare(id.String(), text); compareWithBound(id, text) != want {
			t.Errorf("%s compares as %d with %q, its bytes as %d", id, want, text, compareWithBound(id, text))
		}
	})
}

// TestDamagedValues reads values that were cut off or invented: an error, never a panic or a huge allocation.
func TestDamagedValues(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 5_000 {
		b := make([]byte, rnd.IntN(40))
		for i := range b {
			b[i] = byte(rnd.IntN(256))
			if rnd.IntN(2) == 0 {
				b[i] = byte(rnd.IntN(4))
			}
		}
		w := &work{facts: newFacts(10), session: nowhere{}}
		for _, read := range []func(*decoder){
			func(d *decoder) { d.receipt(new(ledger.Receipt), "key") },
			func(d *decoder) { d.postings() },
			func(d *decoder) { d.terms("USD") },
			func(d *decoder) { d.change(nil) },
		} {
			d := &decoder{buf: b, work: w}
			read(d)
			if d.err != nil {
				assert.NotErrorIs(t, d.err, ledger.Unavailable)
			}
		}
	}
}

// nowhere is a file without rows.
type nowhere struct{}

func (nowhere) exec(*query, ...any) error          { return nil }
func (nowhere) rows(*query, ...any) ([]row, error) { return nil, nil }
