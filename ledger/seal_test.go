package ledger_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// sealed is a small book that has one of everything, all of it sealed, in several blocks.
func sealed(t *testing.T) (*world, ledger.Checkpoint) { return sealedIn(t, 12) }

func sealedIn(t *testing.T, entries int) (*world, ledger.Checkpoint) {
	w := richIn(t, entries)
	w.do(ledger.SetAccount{Account: alice, Ceiling: new(dollars(1_000_000))})
	noted := ledger.Transfer(bank, alice, dollars(7))
	noted.Note = ledger.Note{Reference: "post/1", Description: "for the song", Meta: map[string]string{"a": "1"}}
	w.do(noted, ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "tip", ID: "2"}, Owner: "bob", Body: json.RawMessage(`{"b": 1}`)})
	for {
		n, err := w.NumberFeed(t.Context(), 3)
		require.NoError(t, err)
		if n == 0 {
			break
		}
	}
	c, err := w.Checkpoint(t.Context())
	require.NoError(t, err)
	v, err := w.Verify(t.Context(), c)
	require.NoError(t, err)
	require.Empty(t, v.Problems)
	require.Greater(t, v.Blocks, 3)
	return w, c
}

func TestBlocksChain(t *testing.T) {
	w, c := sealed(t)
	var last ledger.Block
	for _, b := range collect(t, w.Blocks(t.Context(), 0)) {
		require.Equal(t, last.Number+1, b.Number)
		require.Equal(t, last.Last+1, b.First)
		require.Equal(t, last.Hash, b.Previous)
		require.Len(t, b.Marks, int(8*(b.Last-b.First+1)))
		last = b
	}
	require.Equal(t, ledger.Checkpoint{Book: "main", Block: last.Number, Position: last.Last, Hash: last.Hash, SealedAt: last.SealedAt}, c)
	require.Len(t, collect(t, w.Blocks(t.Context(), last.Number-1)), 1)
	require.Equal(t, last.Last, uint64(len(collect(t, w.Feed(t.Context(), 0)))))

	empty, err := newWorld(t).Checkpoint(t.Context())
	require.NoError(t, err)
	require.Equal(t, ledger.Checkpoint{Book: "main"}, empty)
	v, err := w.Verify(t.Context(), empty)
	require.NoError(t, err)
	require.True(t, v.OK(), "nothing was sealed then")
}

// Every edit here leaves rows that fit together, but for the seal, or is of the seal itself.
func sealedEdits(w *world) map[string]func(ledger.List, *ledger.Rows) {
	type rows = *ledger.Rows
	return map[string]func(ledger.List, rows){
		"transaction: description": func(_ ledger.List, r rows) {
			each(r.Transactions, func(x *ledger.Transaction) {
				x.Description = strings.ReplaceAll(x.Description, "song", "sing")
			})
		},
		"transaction: reference": func(_ ledger.List, r rows) {
			each(r.Transactions, func(x *ledger.Transaction) {
				if x.Reference != "" {
					x.Reference = "post/2"
				}
			})
		},
		"transaction: meta": func(_ ledger.List, r rows) {
			each(r.Transactions, func(x *ledger.Transaction) {
				if x.Meta != nil {
					x.Meta["a"] = "2"
				}
			})
		},
		"transaction: imported": func(_ ledger.List, r rows) {
			each(r.Transactions, func(x *ledger.Transaction) { x.Imported = true })
		},
		"transaction and lines: effective time": func(_ ledger.List, r rows) {
			each(r.Transactions, func(x *ledger.Transaction) { x.EffectiveAt = x.EffectiveAt.Add(-time.Hour) })
			each(r.Lines, func(l *ledger.Line) {
				if l.Transaction != (ledger.ID{}) {
					l.EffectiveAt = l.EffectiveAt.Add(-time.Hour)
				}
			})
		},
		"hold: deadline": func(_ ledger.List, r rows) {
			each(r.Holds, func(h *ledger.Hold) {
				if !h.ExpiresAt.IsZero() {
					h.ExpiresAt = h.ExpiresAt.Add(time.Hour)
				}
			})
		},
		"hold: note": func(_ ledger.List, r rows) {
			each(r.Holds, func(h *ledger.Hold) { h.Description = "other" })
		},
		"account: owner": func(_ ledger.List, r rows) {
			each(r.Accounts, func(a *ledger.AccountInfo) {
				if a.ID == alice {
					a.Owner = "mallory"
				}
			})
		},
		"account: when it was opened": func(_ ledger.List, r rows) {
			each(r.Accounts, func(a *ledger.AccountInfo) { a.OpenedAt = a.OpenedAt.Add(-time.Hour) })
		},
		"account: terms set": func(_ ledger.List, r rows) {
			each(r.Lines, func(l *ledger.Line) {
				if l.Kind == ledger.LineSet {
					l.Terms.Ceiling = dollars(2_000_000)
				}
			})
			each(r.Accounts, func(a *ledger.AccountInfo) {
				if a.Terms.Ceiling == dollars(1_000_000) {
					a.Terms.Ceiling = dollars(2_000_000)
				}
			})
		},
		"asset: code": func(_ ledger.List, r rows) { each(r.Assets, func(a *ledger.AssetRow) { a.Code = "XXX" }) },
		"asset: name": func(_ ledger.List, r rows) { each(r.Assets, func(a *ledger.AssetRow) { a.Name = "Other" }) },
		"document: body": func(_ ledger.List, r rows) {
			body := func(d *ledger.Document) {
				if d.Owner == "bob" {
					d.Body = json.RawMessage(`{"b": 2}`)
				}
			}
			each(r.Documents, body)
			each(r.Versions, body)
		},
		"document: a past body": func(_ ledger.List, r rows) {
			each(r.Versions, func(d *ledger.Document) {
				if d.Version == 1 && d.ID == "1" {
					d.Body = json.RawMessage(`{"forged":true}`)
				}
			})
		},
		"document: owner": func(_ ledger.List, r rows) {
			owner := func(d *ledger.Document) { d.Owner += "x" }
			each(r.Documents, owner)
			each(r.Versions, owner)
		},
		"document: state and its change": func(_ ledger.List, r rows) {
			state := func(d *ledger.Document) { d.State = "paid" }
			each(r.Documents, state)
			each(r.Versions, state)
			each(r.Feed, func(c *ledger.Change) {
				if c.Kind == ledger.ChangeDocument {
					c.State = "paid"
				}
			})
		},
		"document: erased without a word": func(_ ledger.List, r rows) {
			gone := func(d *ledger.Document) {
				if d.Owner == "bob" {
					d.Body, d.Erased = nil, ledger.Erasure{At: w.Now(), Reason: "?", Digest: ledger.Hash{1}}
				}
			}
			each(r.Documents, gone)
			each(r.Versions, gone)
		},
		"change: key":   func(_ ledger.List, r rows) { each(r.Feed, func(c *ledger.Change) { c.Key += "x" }) },
		"change: entry": func(_ ledger.List, r rows) { each(r.Feed, func(c *ledger.Change) { c.Entry[3]++ }) },
		"change: state": func(_ ledger.List, r rows) {
			each(r.Feed, func(c *ledger.Change) {
				if c.State == "open" {
					c.State = "captured"
				}
			})
		},
		"feed: two changes change places": func(_ ledger.List, r rows) {
			if len(r.Feed) > 1 {
				r.Feed[0], r.Feed[1] = r.Feed[1], r.Feed[0]
				r.Feed[0].Position, r.Feed[1].Position = 1, 2
			}
		},
		"block: hash":      func(_ ledger.List, r rows) { each(r.Blocks, func(b *ledger.Block) { b.Hash[5]++ }) },
		"block: last hash": func(_ ledger.List, r rows) { lastOf(r.Blocks, func(b *ledger.Block) { b.Hash[5]++ }) },
		"block: time": func(_ ledger.List, r rows) {
			lastOf(r.Blocks, func(b *ledger.Block) { b.SealedAt = b.SealedAt.Add(1000) })
		},
		"block: previous":   func(_ ledger.List, r rows) { lastOf(r.Blocks, func(b *ledger.Block) { b.Previous[0]++ }) },
		"block: positions":  func(_ ledger.List, r rows) { lastOf(r.Blocks, func(b *ledger.Block) { b.Last++ }) },
		"block: number":     func(_ ledger.List, r rows) { lastOf(r.Blocks, func(b *ledger.Block) { b.Number++ }) },
		"block: marks":      func(_ ledger.List, r rows) { lastOf(r.Blocks, func(b *ledger.Block) { b.Marks[0]++ }) },
		"block: more marks": func(_ ledger.List, r rows) { lastOf(r.Blocks, func(b *ledger.Block) { b.Marks = append(b.Marks, 0) }) },
		"blocks: one gone":  func(_ ledger.List, r rows) { dropped(&r.Blocks, 1) },
		"blocks: last gone": func(_ ledger.List, r rows) { dropped(&r.Blocks, len(r.Blocks)-1) },
		"blocks: all gone":  func(_ ledger.List, r rows) { r.Blocks = nil },
	}
}

func TestVerifyFindsEditsOfSealedHistory(t *testing.T) {
	w, c := sealed(t)
	for name, edit := range sealedEdits(w) {
		t.Run(name, func(t *testing.T) {
			b := ledger.New(edited{w.store, edit}, ledger.Config{Clock: w.clock.Now})
			v, err := b.Verify(t.Context(), c)
			require.NoError(t, err)
			seals := 0
			for _, p := range v.Problems {
				if p.Kind != ledger.ProblemSeal {
					continue
				}
				seals++
				require.True(t, p.Block > 0 || p.Position > 0, "says where: %v", p)
				switch kind, _, _ := strings.Cut(name, ":"); kind {
				case "transaction", "transaction and lines":
					require.NotZero(t, p.Transaction, "%v", p)
				case "hold":
					require.NotZero(t, p.Hold, "%v", p)
				case "account", "asset":
					require.NotZero(t, p.Account, "%v", p)
				case "document":
					require.NotZero(t, p.Document, "%v", p)
				case "change", "feed":
					require.NotZero(t, p.Position, "%v", p)
				}
			}
			require.Positive(t, seals, "%v", v.Problems)
		})
	}
}

func lastOf[T any](rows []T, edit func(*T)) {
	if len(rows) > 0 {
		edit(&rows[len(rows)-1])
	}
}

// Whoever rewrites everything, seal included, is found by whoever kept a checkpoint, and only so.
func TestOnlyACheckpointFindsAWholeOtherHistory(t *testing.T) {
	tell := func(tip int64) (*world, ledger.Checkpoint) {
		w := newWorld(t)
		w.furnish(1_000)
		w.do(ledger.Transfer(alice, bob, dollars(tip)))
		_, err := w.NumberFeed(t.Context(), 100)
		require.NoError(t, err)
		c, err := w.Checkpoint(t.Context())
		require.NoError(t, err)
		w.do(ledger.Transfer(alice, bob, dollars(1)))
		_, err = w.NumberFeed(t.Context(), 100)
		require.NoError(t, err)
		w.sound()
		return w, c
	}
	honest, kept := tell(5)
	forged, _ := tell(6)
	v, err := honest.Verify(t.Context(), kept)
	require.NoError(t, err)
	require.True(t, v.OK())
	v, err = forged.Verify(t.Context(), kept)
	require.NoError(t, err)
	require.Len(t, v.Problems, 1)
	require.Equal(t, ledger.ProblemCheckpoint, v.Problems[0].Kind)
	require.Equal(t, uint64(1), v.Problems[0].Block)

	// An older copy of the whole store fits together as well.
	young := newWorld(t)
	young.furnish(1_000)
	old := young.store.(*memory.Store).Clone()
	young.do(ledger.Transfer(alice, bob, dollars(1)))
	_, err = young.NumberFeed(t.Context(), 100)
	require.NoError(t, err)
	kept, err = young.Checkpoint(t.Context())
	require.NoError(t, err)
	truncated := ledger.New(old, ledger.Config{Clock: young.clock.Now})
	v, err = truncated.Verify(t.Context())
	require.NoError(t, err)
	require.True(t, v.OK())
	v, err = truncated.Verify(t.Context(), kept)
	require.NoError(t, err)
	require.Len(t, v.Problems, 1)
	require.Contains(t, v.Problems[0].String(), "sealed history is gone")

	other := ledger.New(young.store, ledger.Config{Book: "other"})
	v, err = other.Verify(t.Context(), kept)
	require.NoError(t, err)
	require.Len(t, v.Problems, 2, "of another book, and not there")
}

// A chain that lost its end is no place to go on from.
func TestSequencerRefusesATruncatedChain(t *testing.T) {
	w, _ := sealed(t)
	w.do(ledger.Transfer(bank, alice, dollars(1)))
	b := ledger.New(edited{w.store, func(_ ledger.List, r *ledger.Rows) { r.Blocks = nil }}, ledger.Config{Clock: w.clock.Now})
	_, err := b.NumberFeed(t.Context(), 10)
	require.ErrorIs(t, err, ledger.Corrupt)
	_, err = b.Checkpoint(t.Context())
	require.ErrorIs(t, err, ledger.Corrupt)
}

// Many sequencers, with and without a lease, and many writers: nothing is skipped, repeated or sealed twice.
func TestSequencersTogether(t *testing.T) {
	w := newWorld(t)
	w.furnish(1_000_000)
	const writers, each = 6, 40
	var writing, numbering sync.WaitGroup
	done := make(chan struct{})
	for i := range writers {
		writing.Go(func() {
			for j := range each {
				_, err := w.Record(t.Context(), ledger.Entry{Key: fmt.Sprintf("w%d-%d", i, j), Commands: []ledger.Command{
					ledger.Transfer(alice, bob, dollars(1)), ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "k", ID: fmt.Sprint(i)}, Version: uint64(j), Body: json.RawMessage(`{}`)},
				}})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 4 {
		numbering.Go(func() {
			s := w.Sequencer()
			for over := false; !over; {
				select {
				case <-done:
					over = true
				default:
				}
				number := w.NumberFeed
				if i%2 == 0 {
					number = s.Number
				}
				if _, err := number(t.Context(), 1+i*3); err != nil {
					t.Error(err)
				}
			}
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	writing.Wait()
	close(done)
	numbering.Wait()
	for {
		n, err := w.NumberFeed(t.Context(), 100)
		require.NoError(t, err)
		if n == 0 {
			break
		}
	}
	w.sound()
	require.Len(t, collect(t, w.Feed(t.Context(), 8)), 2*writers*each)
}

func TestSequencerLease(t *testing.T) {
	w := newWorld(t)
	first, second := w.Sequencer(), w.Sequencer()
	number := func(s *ledger.Sequencer, want int) {
		t.Helper()
		n, err := s.Number(t.Context(), 10)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	before := dump(t, w.store, "main")
	number(first, 0)
	require.Equal(t, before, dump(t, w.store, "main"), "an idle book is not written to")
	w.do(ledger.OpenAccount{Account: bank, Type: ledger.Asset})
	number(first, 1)
	w.do(ledger.OpenAccount{Account: fees, Type: ledger.Income})
	number(second, 0) // the first has the lease
	w.clock.advance(time.Minute)
	number(second, 1)
	w.do(ledger.OpenAccount{Account: bob, Type: ledger.Income})
	number(first, 0)
	require.NoError(t, second.Close(t.Context()))
	number(first, 1)
	w.sound()
}

func TestFollowWaitsForMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failures atomic.Int64
		b := ledger.New(flaky{memory.New(), &failures}, ledger.Config{Rest: time.Second})
		open := func(path string) {
			_, err := b.Record(t.Context(), ledger.Entry{Key: path, Commands: []ledger.Command{
				ledger.OpenAccount{Account: ledger.AccountID{Path: path, Asset: "USD"}, Type: ledger.Asset},
			}})
			require.NoError(t, err)
			_, err = b.NumberFeed(t.Context(), 10)
			require.NoError(t, err)
		}
		open("a")
		open("b")
		ctx, cancel := context.WithCancel(t.Context())
		var seen []uint64
		var last error
		done := make(chan struct{})
		go func() {
			defer close(done)
			for c, err := range b.Follow(ctx, 1) {
				if last = err; err == nil {
					seen = append(seen, c.Position)
				}
			}
		}()
		synctest.Wait()
		require.Equal(t, []uint64{2}, seen)
		open("c")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, []uint64{2, 3}, seen)
		open("d")
		failures.Store(4) // it rides out an outage
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, []uint64{2, 3, 4}, seen)
		cancel()
		<-done
		require.ErrorIs(t, last, context.Canceled)
		for _, err := range b.Follow(t.Context(), 0) {
			require.NoError(t, err)
			break // a caller may stop
		}
	})
}

func TestCheckpointsAreSignedAndWritten(t *testing.T) {
	_, c := sealed(t)
	c.Book = `a "quoted" book`
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	ec384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	signers := []crypto.Signer{ed, ec, ec384}
	for i, s := range signers {
		signed, err := c.Sign(s)
		require.NoError(t, err)
		require.NoError(t, signed.Verify(s.Public()))
		read, err := ledger.ParseCheckpoint(signed.String())
		require.NoError(t, err)
		require.Equal(t, signed, read)
		raw, err := json.Marshal(signed)
		require.NoError(t, err)
		var decoded ledger.Checkpoint
		require.NoError(t, json.Unmarshal(raw, &decoded))
		require.Equal(t, signed, decoded)
		require.NoError(t, decoded.Verify(s.Public()))
		for _, alter := range []func(*ledger.Checkpoint){
			func(c *ledger.Checkpoint) { c.Book = "other" }, func(c *ledger.Checkpoint) { c.Block++ }, func(c *ledger.Checkpoint) { c.Position-- },
			func(c *ledger.Checkpoint) { c.Hash[31]++ }, func(c *ledger.Checkpoint) { c.SealedAt = c.SealedAt.Add(1000) },
			func(c *ledger.Checkpoint) { c.Signature = nil }, func(c *ledger.Checkpoint) { c.Signature = c.Signature[1:] },
		} {
			altered := signed
			alter(&altered)
			require.ErrorIs(t, altered.Verify(s.Public()), ledger.ErrDamaged)
		}
		for j, other := range signers {
			if i != j {
				require.ErrorIs(t, signed.Verify(other.Public()), ledger.ErrDamaged)
			}
		}
		line := signed.String()
		for n := range line {
			damaged, err := ledger.ParseCheckpoint(line[:n])
			if err == nil { // without its signature it is a checkpoint still, that nobody signed
				require.ErrorIs(t, damaged.Verify(s.Public()), ledger.ErrDamaged)
			}
		}
	}
	old, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, err = c.Sign(old)
	require.ErrorIs(t, err, ledger.ErrInvalid)
	require.ErrorIs(t, c.Verify(old.Public()), ledger.ErrInvalid)
	for _, line := range []string{"", "x", c.String() + " ", " " + c.String(), strings.ToUpper(c.String()), c.String() + " !", strings.Replace(c.String(), " ", "  ", 1)} {
		_, err := ledger.ParseCheckpoint(line)
		require.ErrorIs(t, err, ledger.ErrDamaged, line)
	}
	empty := ledger.Checkpoint{Book: "main"}
	read, err := ledger.ParseCheckpoint(empty.String())
	require.NoError(t, err)
	require.Equal(t, empty, read)
}

// The form of what is hashed is a promise: a checkpoint that somebody kept must verify for ever. When this fails, a new
// form needs a new name, and the old one must still be verified.
func TestSealFormIsPinned(t *testing.T) {
	w := newWorld(t)
	w.do(ledger.OpenAccount{Account: bank, Type: ledger.Asset}, ledger.OpenAccount{Account: alice, Type: ledger.Liability, Owner: "alice", Floor: dollars(0)})
	post := ledger.Transfer(bank, alice, dollars(100))
	post.Note = ledger.Note{Reference: "post/1", Description: "d", Meta: map[string]string{"b": "2", "a": "1"}}
	made := w.do(post, ledger.SetAccount{Account: bank, Floor: new(dollars(-5))}).Results[0].Transaction
	hold := w.do(ledger.PlaceHold{Account: alice, Amount: dollars(30), ExpiresAt: w.Now().Add(time.Hour)}).Results[0].Hold
	w.do(ledger.Capture{Hold: ledger.ByID(hold), To: []ledger.Portion{{Account: bank, Amount: dollars(10)}}}, ledger.Release{Hold: ledger.ByID(hold), Amount: dollars(5)})
	w.do(ledger.Reverse{Transaction: ledger.ByID(made), Part: ledger.Transfer(bank, alice, dollars(20)).Postings})
	w.do(ledger.Import{Postings: ledger.Transfer(bank, alice, dollars(1)).Postings, EffectiveAt: start.AddDate(-1, 0, 0)})
	d := ledger.DocumentID{Kind: "k", ID: "1"}
	w.do(ledger.PutDocument{DocumentID: d, State: "new", Due: start, Lane: "l", Schema: 2, References: []string{"r"}, Body: json.RawMessage(`{}`)})
	w.do(ledger.EraseDocument{Document: d, All: true, Reason: "asked for"})
	w.clock.advance(2 * time.Hour)
	_, err := w.ExpireHolds(t.Context(), 1)
	require.NoError(t, err)
	_, err = w.NumberFeed(t.Context(), 100)
	require.NoError(t, err)
	c, err := w.Checkpoint(t.Context())
	require.NoError(t, err)
	require.Equal(t, `kosh-checkpoint-1 "main" 1 13 2026-03-01T14:00:00Z 46059f53a9b9fe1e4822475f1aab313001c1858e3603426cdeec10dfb5010e0e`, c.String())
}

// A seal, computed by hand from the documentation of Block.
func TestSealByHand(t *testing.T) {
	w := newWorld(t)
	d := ledger.DocumentID{Kind: "tip", ID: "1"}
	r := w.do(ledger.PutDocument{DocumentID: d, Owner: "alice", References: []string{"r"}, Body: json.RawMessage(`{"a": 1}`)})
	_, err := w.NumberFeed(t.Context(), 1)
	require.NoError(t, err)
	text := func(all ...string) (b []byte) {
		for _, s := range all {
			b = append(append(b, byte(len(s))), s...)
		}
		return b
	}
	at := binary.AppendVarint([]byte{1}, r.RecordedAt.UnixMicro())
	body := sha256.Sum256([]byte(`{"a": 1}`))
	version := sha256.Sum256(slices.Concat(text("kosh version 1", "tip", "1"), []byte{1}, text("alice", ""), []byte{0}, text(""),
		[]byte{1}, text("r"), []byte{0}, at, at, []byte{1}, body[:]))
	digest := sha256.Sum256(slices.Concat(text("kosh change 1"), r.ID[:], text(r.Key), at, []byte{4}, text("", ""),
		make([]byte, 16), make([]byte, 16), text("tip", "1"), []byte{1}, text(""), []byte{0}, version[:]))
	block := collect(t, w.Blocks(t.Context(), 0))[0]
	want := sha256.Sum256(slices.Concat(text("kosh block 1", "main"), []byte{1, 1, 1}, binary.AppendVarint([]byte{1}, block.SealedAt.UnixMicro()),
		make([]byte, 32), digest[:]))
	require.Equal(t, ledger.Hash(want), block.Hash)
	require.Equal(t, digest[:8], block.Marks)
}
