package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// tangled is a book whose transactions and holds touch accounts in every way: once, several times, not at all.
func tangled(t *testing.T) *world {
	w := newWorld(t)
	w.furnish(100_000)
	rng := rand.New(rand.NewPCG(7, 8))
	var held []ledger.ID
	for range 120 {
		w.clock.advance(time.Duration(rng.IntN(2)) * time.Second)
		post := ledger.Transfer(bank, alice, dollars(3))
		if rng.IntN(2) == 0 { // three lines on alice, two on bob
			post = ledger.Post{Postings: []ledger.Posting{
				{Account: alice, Side: ledger.Debit, Amount: dollars(1)},
				{Account: bob, Side: ledger.Credit, Amount: dollars(2)},
				{Account: alice, Side: ledger.Debit, Amount: dollars(2)},
				{Account: bob, Side: ledger.Credit, Amount: dollars(2)},
				{Account: alice, Side: ledger.Debit, Amount: dollars(1)},
			}}
		}
		post.Reference = fmt.Sprintf("post/%d", rng.IntN(3))
		hold := ledger.PlaceHold{Account: []ledger.AccountID{alice, bank}[rng.IntN(2)], Amount: dollars(2), Note: post.Note}
		commands := []ledger.Command{post, hold, ledger.Transfer(bank, fees, dollars(1))}
		if len(held) > 0 && rng.IntN(3) > 0 {
			at := rng.IntN(len(held))
			id := ledger.ByID(held[at])
			held = slices.Delete(held, at, at+1)
			if rng.IntN(2) == 0 {
				commands = append(commands, ledger.Release{Hold: id, All: true})
			} else {
				commands = append(commands, ledger.Capture{Hold: id, To: []ledger.Portion{{Account: fees, Amount: dollars(1)}, {Account: bob, Amount: dollars(1)}}})
			}
		}
		held = append(held, w.do(commands...).Results[1].Hold)
	}
	return w
}

// Transactions and holds of one account equal brute force, in both directions and in pages of any size.
func TestListsOfAnAccountEqualBruteForce(t *testing.T) {
	w := tangled(t)
	ctx := t.Context()
	transactions, holds := collect(t, w.Transactions(ctx, ledger.Query{})), collect(t, w.Holds(ctx, ledger.Query{}))
	rng := rand.New(rand.NewPCG(9, 1))
	for range 300 / slowness {
		q := ledger.Query{
			List:    []ledger.List{ledger.ListTransactions, ledger.ListHolds, ledger.ListOpenHolds}[rng.IntN(3)],
			Account: []ledger.AccountID{alice, bob, bank, fees, nobody}[rng.IntN(5)], Backward: rng.IntN(2) == 0,
			Reference: []string{"", "", "post/1", "none"}[rng.IntN(4)], Limit: []int{1, 2, 3, 7, 0, ledger.MaxPage}[rng.IntN(6)],
		}
		if q.List != ledger.ListOpenHolds {
			q.Asset = []currency.AssetID{"", "USD", "EUR"}[rng.IntN(3)]
		}
		if q.List == ledger.ListHolds {
			q.State = []string{"", "open", "captured", "released"}[rng.IntN(4)]
		}
		if rng.IntN(2) == 0 {
			q.Since, q.Until = start.Add(10*time.Second), start.Add(time.Duration(10+rng.IntN(40))*time.Second)
		}
		note := func(n ledger.Note, at time.Time) bool {
			return (q.Reference == "" || n.Reference == q.Reference) && (q.Since.IsZero() || !at.Before(q.Since) && at.Before(q.Until)) && q.Asset != "EUR"
		}
		var want []string
		for _, x := range transactions {
			on := slices.ContainsFunc(x.Postings, func(p ledger.Posting) bool { return p.Account == q.Account })
			if q.List == ledger.ListTransactions && on && note(x.Note, x.RecordedAt) {
				want = append(want, text(t, ledger.Item{Transaction: &x}))
			}
		}
		for _, h := range holds {
			open := q.List != ledger.ListOpenHolds || h.State == ledger.HoldOpen
			if q.List != ledger.ListTransactions && h.Account == q.Account && open && note(h.Note, h.PlacedAt) && (q.State == "" || h.State.String() == q.State) {
				want = append(want, text(t, ledger.Item{Hold: &h}))
			}
		}
		if q.Backward {
			slices.Reverse(want)
		}
		require.Equal(t, want, pages(t, w, q), "%+v", q)
	}
}

func TestDocumentsOfAllKinds(t *testing.T) {
	w := crowded(t)
	all := collect(t, w.Documents(t.Context(), ledger.Query{Limit: 7}))
	require.Len(t, all, 150)
	require.True(t, slices.IsSortedFunc(all, func(a, b ledger.Document) int { return a.Position().Compare(b.Position()) }))
	for _, kind := range []string{"k0", "k1", "k2"} {
		of := slices.DeleteFunc(slices.Clone(all), func(d ledger.Document) bool { return d.Kind != kind })
		require.NotEmpty(t, of)
		require.Equal(t, of, collect(t, w.Documents(t.Context(), ledger.Query{Kind: kind})))
		owned := slices.DeleteFunc(of, func(d ledger.Document) bool { return d.Owner != "o1" })
		require.Equal(t, owned, collect(t, w.Documents(t.Context(), ledger.Query{List: ledger.ListDocuments, Kind: kind, Owner: "o1", Limit: 3})))
	}
}
