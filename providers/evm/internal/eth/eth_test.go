package eth

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The examples of EIP-55.
var checksummed = []string{
	"0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
	"0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
	"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
	"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
}

func TestAddressChecksum(t *testing.T) {
	for _, s := range checksummed {
		a, err := ParseAddress(s)
		require.NoError(t, err, s)
		assert.Equal(t, s, a.String())
		for _, plain := range []string{strings.ToLower(s), "0x" + strings.ToUpper(s[2:])} {
			same, err := ParseAddress(plain)
			require.NoError(t, err, "letters of one case carry no checksum")
			assert.Equal(t, a, same)
		}
	}
	good := checksummed[4]
	for i, c := range good[2:] { // each letter's case is part of the checksum
		if c <= '9' {
			continue
		}
		flipped := []byte(good)
		flipped[i+2] ^= 0x20
		_, err := ParseAddress(string(flipped))
		assert.ErrorIs(t, err, ErrAddress, string(flipped))
	}
	for _, bad := range []string{
		"", "0x", good[2:], good + "0", good[:41], "0X" + good[2:], strings.Replace(good, "5", "g", 1), " " + good,
		"0x0000000000000000000000000000000000000000\n",
	} {
		_, err := ParseAddress(bad)
		assert.ErrorIs(t, err, ErrAddress, "%q", bad)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// The examples of the Yellow Paper's appendix and of ethereum.org.
func TestRLP(t *testing.T) {
	lorem := []byte("Lorem ipsum dolor sit amet, consectetur adipisicing elit")
	for _, tt := range []struct {
		list List
		want string
	}{
		{List{}, "c0"},
		{List{[]byte("cat"), []byte("dog")}, "c88363617483646f67"},
		{List{[]byte{}, uint64(0), big.NewInt(0)}, "c3808080"},
		{List{uint64(15), uint64(1024), []byte{0x80}}, "c60f8204008180"},
		{List{List{}, List{List{}}, List{List{}, List{List{}}}}, "c7c0c1c0c3c0c1c0"},
		{List{lorem}, "f83ab838" + hex.EncodeToString(lorem)},
	} {
		got := tt.list.Encode()
		assert.Equal(t, tt.want, hex.EncodeToString(got))
		back, err := Decode(got)
		require.NoError(t, err)
		assert.Equal(t, got, back.Encode())
	}
	for name, bad := range map[string]string{
		"nothing": "", "no list": "83636174", "more behind": "c0c0", "short": "c883636174", "length with a zero": "f90001" + "00",
		"long form of a short list": "f80183", "long form of a byte": "c28105", "short bytes in long form": "c3b80141",
		"length beyond any memory": "ffffffffffffffffff", "deep": strings.Repeat("c1", 17) + "c0",
	} {
		_, err := Decode(unhex(t, bad))
		assert.ErrorIs(t, err, ErrEncoding, name)
	}
}

func FuzzRLP(f *testing.F) {
	f.Add([]byte{0xc8, 0x83, 'c', 'a', 't', 0x83, 'd', 'o', 'g'})
	f.Add([]byte{0xf8, 0x3a})
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := Decode(b)
		if err != nil {
			return
		}
		if !bytes.Equal(l.Encode(), b) { // there is one encoding of everything
			t.Fatalf("%x decodes and encodes to %x", b, l.Encode())
		}
	})
}

var testKey = secp256k1.PrivKeyFromBytes(bytes.Repeat([]byte{0x46}, 32))

func testTx() Tx {
	to, _ := ParseAddress("0x3535353535353535353535353535353535353535")
	return Tx{ChainID: 1, Nonce: 9, Tip: big.NewInt(2e9), MaxFee: big.NewInt(20e9), Gas: 21000, To: to, Value: big.NewInt(1e18), Data: []byte{}}
}

func signWith(key *secp256k1.PrivateKey, digest Hash) []byte {
	compact := ecdsa.SignCompact(key, digest[:], false)
	return compact[1:]
}

func TestSignAndDecode(t *testing.T) {
	tx := testTx()
	signed, err := tx.Sign(signWith(testKey, tx.Digest()), testKey.PubKey().SerializeCompressed())
	require.NoError(t, err)
	// The account of this key is the one of EIP-155's example.
	assert.Equal(t, "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F", signed.From.String())
	back, err := DecodeTx(signed.Raw)
	require.NoError(t, err)
	assert.Equal(t, signed, back)

	high := signWith(testKey, tx.Digest())
	var s secp256k1.ModNScalar
	s.SetByteSlice(high[32:])
	s.Negate()
	negated := s.Bytes()
	copy(high[32:], negated[:])
	same, err := tx.Sign(high, testKey.PubKey().SerializeCompressed())
	require.NoError(t, err, "a high s signs the same")
	assert.Equal(t, signed.Raw, same.Raw)
}

func TestSignRefuses(t *testing.T) {
	tx := testTx()
	other := secp256k1.PrivKeyFromBytes(bytes.Repeat([]byte{0x47}, 32))
	good, public := signWith(testKey, tx.Digest()), testKey.PubKey().SerializeCompressed()
	for name, tt := range map[string]struct{ signature, public []byte }{
		"another key's":      {signWith(other, tx.Digest()), public},
		"for another":        {signWith(testKey, Hash{1}), public},
		"another public key": {good, other.PubKey().SerializeCompressed()},
		"no public key":      {good, []byte{2, 3}},
		"short":              {good[:63], public},
		"zero":               {make([]byte, 64), public},
		"s beyond the order": {append(bytes.Clone(good[:32]), bytes.Repeat([]byte{0xff}, 32)...), public},
	} {
		_, err := tx.Sign(tt.signature, tt.public)
		assert.ErrorIs(t, err, ErrSignature, name)
	}
}

func FuzzDecodeTx(f *testing.F) {
	tx := testTx()
	signed, err := tx.Sign(signWith(testKey, tx.Digest()), testKey.PubKey().SerializeCompressed())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed.Raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		back, err := DecodeTx(raw)
		if err != nil {
			return
		}
		l, err := Decode(raw[1:])
		if err != nil || !bytes.Equal(append([]byte{txType}, l.Encode()...), raw) || back.Hash != Keccak(raw) {
			t.Fatalf("%x decodes and is not what it encodes", raw)
		}
	})
}

func TestABI(t *testing.T) {
	to, err := ParseAddress(checksummed[4])
	require.NoError(t, err)
	most := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	assert.Equal(t, "a9059cbb", hex.EncodeToString(Transfer(to, most)[:4]))
	assert.Equal(t, "70a08231", hex.EncodeToString(BalanceOf(to)[:4]))
	assert.Equal(t, "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef", TopicTransfer.String())
	gotTo, got, ok := ParseTransfer(Transfer(to, most))
	assert.True(t, ok)
	assert.Equal(t, to, gotTo)
	assert.Zero(t, got.Cmp(most))
	owner, ok := ParseBalanceOf(BalanceOf(to))
	assert.True(t, ok)
	assert.Equal(t, to, owner)

	topics, data := []Hash{TopicTransfer, Topic(to), Topic(Address{1})}, make([]byte, 32)
	data[31] = 7
	from, into, value, ok := ParseTransferLog(topics, data)
	assert.True(t, ok)
	assert.Equal(t, []any{to, Address{1}, int64(7)}, []any{from, into, value.Int64()})
	for name, bad := range map[string]struct {
		topics []Hash
		data   []byte
	}{
		"a token of its own kind (ERC-721)": {append(topics[:3:3], Hash{31: 7}), nil},
		"another event":                     {[]Hash{{1}, topics[1], topics[2]}, data},
		"short data":                        {topics, data[:31]},
		"long data":                         {topics, append(data[:32:32], 0)},
		"an address with something above":   {[]Hash{topics[0], topics[1], {0: 1, 31: 1}}, data},
	} {
		_, _, _, ok := ParseTransferLog(bad.topics, bad.data)
		assert.False(t, ok, name)
	}
}

func TestQuantities(t *testing.T) {
	for _, n := range []string{"0", "1", "255", "115792089237316195423570985008687907853269984665640564039457584007913129639935"} {
		want, ok := new(big.Int).SetString(n, 10)
		require.True(t, ok)
		b, err := json.Marshal(NewQuantity(want))
		require.NoError(t, err)
		var got Quantity
		require.NoError(t, json.Unmarshal(b, &got))
		assert.Zero(t, got.Cmp(want), n)
	}
	for _, bad := range []string{`""`, `"0x"`, `"1"`, `1`, `"0x-1"`, `"0xg"`, `"0x` + strings.Repeat("f", 65) + `"`, `"0x1_0"`, `{}`} {
		var q Quantity
		assert.ErrorIs(t, json.Unmarshal([]byte(bad), &q), ErrEncoding, bad)
	}
	var u Uint64
	assert.ErrorIs(t, json.Unmarshal([]byte(`"0x10000000000000000"`), &u), ErrEncoding)
	var h Hash
	assert.ErrorIs(t, json.Unmarshal([]byte(`"0x12"`), &h), ErrEncoding)
	sum := sha256.Sum256([]byte("x"))
	require.NoError(t, json.Unmarshal([]byte(`"0x`+hex.EncodeToString(sum[:])+`"`), &h))
	assert.Equal(t, Hash(sum), h)
}
