package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/postgres"
)

// TestAbsentRowsThatAreNotWrittenAreGuarded lets two updates find two rows absent, and each add one of them because the other is
// absent. One after the other, the second would have found the first's row: so one alone may add its row.
func TestAbsentRowsThatAreNotWrittenAreGuarded(t *testing.T) {
	t.Parallel()
	url := serverURL(t)
	schema := newSchema(t, url)
	stores := [2]*postgres.Store{open(t, url, postgres.Options{Schema: schema}), open(t, url, postgres.Options{Schema: schema})}
	now := time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
	names := [2]string{"one", "two"}
	ids := [2]ledger.ID{uuid.MustParse("01900000-0000-7000-8000-000000000001"), uuid.MustParse("01900000-0000-7000-8000-000000000002")}
	docs := [2]ledger.DocumentID{{Kind: "k", ID: "one"}, {Kind: "k", ID: "two"}}
	assets := [2]currency.AssetID{"USD", "EUR"}
	accounts := [2]ledger.AccountID{{Path: "one", Asset: "USD"}, {Path: "two", Asset: "USD"}}
	zero := currency.Zero(currency.USD)
	for kind, c := range map[string]struct {
		want  ledger.Names
		write func(i int) ledger.Rows
		count func(ledger.Rows) int
	}{
		"keys": {
			ledger.Names{Keys: names[:]},
			func(i int) ledger.Rows {
				return ledger.Rows{Keys: []ledger.KeyRow{{Key: names[i], Inputs: []byte("{}")}}}
			},
			func(r ledger.Rows) int { return len(r.Keys) },
		},
		"accounts": {
			ledger.Names{Accounts: accounts[:]},
			func(i int) ledger.Rows {
				a := ledger.AccountInfo{ID: accounts[i], Type: ledger.Asset, OpenedAt: now, UpdatedAt: now, Posted: zero, Held: zero}
				return ledger.Rows{Accounts: []ledger.AccountInfo{a}}
			},
			func(r ledger.Rows) int { return len(r.Accounts) },
		},
		"documents": {
			ledger.Names{Documents: docs[:]},
			func(i int) ledger.Rows {
				return ledger.Rows{Documents: []ledger.Document{{DocumentID: docs[i], Version: 1, CreatedAt: now, UpdatedAt: now}}}
			},
			func(r ledger.Rows) int { return len(r.Documents) },
		},
		"transactions": {
			ledger.Names{Transactions: ids[:]},
			func(i int) ledger.Rows {
				return ledger.Rows{Transactions: []ledger.Transaction{{ID: ids[i], Key: names[i], RecordedAt: now, EffectiveAt: now}}}
			},
			func(r ledger.Rows) int { return len(r.Transactions) },
		},
		"references": {
			ledger.Names{References: names[:]},
			func(i int) ledger.Rows {
				return ledger.Rows{References: []ledger.ReferenceRow{{Reference: names[i], Document: docs[i]}}}
			},
			func(r ledger.Rows) int { return len(r.References) },
		},
		"leases": {
			ledger.Names{Leases: docs[:]},
			func(i int) ledger.Rows {
				return ledger.Rows{Leases: []ledger.Lease{{Document: docs[i], Token: ids[i], Until: now}}}
			},
			func(r ledger.Rows) int { return len(r.Leases) },
		},
		"assets": {
			ledger.Names{Assets: assets[:]},
			func(i int) ledger.Rows { return ledger.Rows{Assets: []ledger.AssetRow{{ID: assets[i], Scale: 2}}} },
			func(r ledger.Rows) int { return len(r.Assets) },
		},
		"pending": {
			ledger.Names{Pending: ids[:]},
			func(i int) ledger.Rows {
				return ledger.Rows{Pending: []ledger.PendingRow{{Entry: ids[i], RecordedAt: now}}}
			},
			func(r ledger.Rows) int { return len(r.Pending) },
		},
		"sequences": {
			ledger.Names{Sequences: names[:]},
			func(i int) ledger.Rows { return ledger.Rows{Sequences: []ledger.SequenceRow{{Name: names[i]}}} },
			func(r ledger.Rows) int { return len(r.Sequences) },
		},
		"holds": {
			ledger.Names{Holds: ids[:]},
			func(i int) ledger.Rows {
				h := ledger.Hold{ID: ids[i], Account: accounts[0], Amount: zero, Captured: zero, Released: zero, State: ledger.HoldReleased, PlacedAt: now, UpdatedAt: now}
				a := ledger.AccountInfo{ID: accounts[0], Type: ledger.Asset, OpenedAt: now, UpdatedAt: now, Posted: zero, Held: zero}
				return ledger.Rows{Holds: []ledger.Hold{h}, Accounts: []ledger.AccountInfo{a}}
			},
			func(r ledger.Rows) int { return len(r.Holds) },
		},
	} {
		t.Run(kind, func(t *testing.T) {
			book := "book of " + kind
			var both, all sync.WaitGroup // both have decided once
			both.Add(2)
			for i, s := range stores {
				all.Go(func() {
					var once sync.Once
					err := s.Update(t.Context(), book, c.want, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
						once.Do(func() {
							both.Done()
							both.Wait()
						})
						if c.count(found) > 0 {
							return ledger.Rows{}, ledger.Names{}, nil
						}
						return c.write(i), ledger.Names{}, nil
					})
					assert.NoError(t, err)
				})
			}
			all.Wait()
			found, err := stores[0].Read(t.Context(), book, c.want)
			require.NoError(t, err)
			assert.Equal(t, 1, c.count(found), "both updates found the other's row absent and committed on that")
		})
	}
}
