package memory_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 6_000, time.UTC)

func write(t *testing.T, s ledger.Store, rows ledger.Rows) error {
	t.Helper()
	return s.Update(t.Context(), "b", ledger.Names{}, func(ledger.Rows) (ledger.Rows, ledger.Names, error) {
		return rows, ledger.Names{}, nil
	})
}

func TestZeroValue(t *testing.T) {
	var s memory.Store
	rows, err := s.Read(t.Context(), "b", ledger.Names{Keys: []string{"k"}})
	require.NoError(t, err)
	require.Empty(t, rows)
	_, err = s.Scan(t.Context(), "b", ledger.Range{List: ledger.ListKeys, Limit: 1})
	require.NoError(t, err)
	require.NoError(t, write(t, &s, ledger.Rows{Keys: []ledger.KeyRow{{Key: "k"}}}))
	rows, err = s.Read(t.Context(), "b", ledger.Names{Keys: []string{"k", "k"}})
	require.NoError(t, err)
	require.Len(t, rows.Keys, 1, "a name asked for twice is found once")
}

func TestBadRange(t *testing.T) {
	s := memory.New()
	for _, r := range []ledger.Range{
		{},
		{List: ledger.ListKeys},
		{List: ledger.ListKeys, Limit: -1},
		{List: ledger.ListKeys, Limit: ledger.MaxPage + 1},
		{List: ledger.ListBlocks + 1, Limit: 1},
	} {
		_, err := s.Scan(t.Context(), "b", r)
		require.Error(t, err, "%+v", r)
	}
}

// TestApplyIsAtomic writes good rows beside each kind of bad ones: nothing of it may stay.
func TestApplyIsAtomic(t *testing.T) {
	cash := ledger.AccountID{Path: "cash", Asset: "USD"}
	other := ledger.AccountID{Path: "other", Asset: "USD"}
	doc := ledger.DocumentID{Kind: "k", ID: "1"}
	setup := func(t *testing.T) *memory.Store {
		s := memory.New()
		require.NoError(t, write(t, s, ledger.Rows{
			Keys: []ledger.KeyRow{{Key: "k"}},
			Lines: []ledger.Line{
				{Account: cash, Version: 1, RecordedAt: start},
				{Account: cash, Version: 3, RecordedAt: start.Add(3 * time.Microsecond)},
			},
			Versions: []ledger.Document{{DocumentID: doc, Version: 1}},
			Feed:     []ledger.Change{{Position: 1}},
			Leases:   []ledger.Lease{{Document: doc}},
		}))
		return s
	}
	for name, bad := range map[string]ledger.Rows{
		"key again":                 {Keys: []ledger.KeyRow{{Key: "new"}, {Key: "k"}}},
		"key twice":                 {Keys: []ledger.KeyRow{{Key: "new"}, {Key: "new"}}},
		"line again":                {Lines: []ledger.Line{{Account: cash, Version: 3, RecordedAt: start.Add(3 * time.Microsecond)}}},
		"line again at a new time":  {Lines: []ledger.Line{{Account: cash, Version: 1, RecordedAt: start.Add(2 * time.Microsecond)}}},
		"line twice":                {Lines: []ledger.Line{{Account: other, Version: 1}, {Account: other, Version: 1}}},
		"version again":             {Versions: []ledger.Document{{DocumentID: doc, Version: 1, State: "x"}}},
		"change again":              {Feed: []ledger.Change{{Position: 2}, {Position: 1}}},
		"account twice":             {Accounts: []ledger.AccountInfo{{ID: cash}, {ID: cash}}},
		"delete of what must stay":  {Delete: ledger.Names{Keys: []string{"k"}}},
		"delete of the wrong names": {Delete: ledger.Names{Documents: []ledger.DocumentID{doc}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := setup(t)
			bad.Sequences = []ledger.SequenceRow{{Name: "s", Last: 1}}
			bad.Accounts = append(bad.Accounts, ledger.AccountInfo{ID: other})
			bad.Delete.Leases = []ledger.DocumentID{doc}
			require.Error(t, write(t, s, bad))
			rows, err := s.Read(t.Context(), "b", ledger.Names{
				Keys: []string{"new"}, Accounts: []ledger.AccountID{cash, other}, Sequences: []string{"s"},
			})
			require.NoError(t, err)
			require.Empty(t, rows)
			rows, err = s.Read(t.Context(), "b", ledger.Names{Leases: []ledger.DocumentID{doc}})
			require.NoError(t, err)
			require.Len(t, rows.Leases, 1)
		})
	}
}

func TestAppendOutOfOrder(t *testing.T) {
	s := memory.New()
	cash := ledger.AccountID{Path: "cash", Asset: "USD"}
	for _, v := range []uint64{3, 1, 2} {
		require.NoError(t, write(t, s, ledger.Rows{Lines: []ledger.Line{{Account: cash, Version: v, RecordedAt: start.Add(time.Duration(v) * time.Microsecond)}}}))
	}
	rows, err := s.Scan(t.Context(), "b", ledger.Range{List: ledger.ListLines, Account: cash, Limit: 10})
	require.NoError(t, err)
	require.Len(t, rows.Lines, 3)
	for i, l := range rows.Lines {
		require.EqualValues(t, i+1, l.Version)
	}
}

func TestRounds(t *testing.T) {
	s := memory.New()
	require.NoError(t, write(t, s, ledger.Rows{Sequences: []ledger.SequenceRow{{Name: "a", Last: 1}, {Name: "b", Last: 2}}}))
	var seen []int
	err := s.Update(t.Context(), "b", ledger.Names{Sequences: []string{"a"}}, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		seen = append(seen, len(found.Sequences))
		switch len(seen) {
		case 1:
			return ledger.Rows{Sequences: []ledger.SequenceRow{{Name: "ignored"}}}, ledger.Names{Sequences: []string{"b"}}, nil
		case 2:
			return ledger.Rows{}, ledger.Names{Sequences: []string{"a", "c"}}, nil
		}
		return ledger.Rows{Sequences: []ledger.SequenceRow{{Name: "c", Last: 3}}}, ledger.Names{}, nil
	})
	require.NoError(t, err)
	require.Equal(t, []int{1, 2, 2}, seen)
	rows, err := s.Read(t.Context(), "b", ledger.Names{Sequences: []string{"ignored", "c"}})
	require.NoError(t, err)
	require.Equal(t, []ledger.SequenceRow{{Name: "c", Last: 3}}, rows.Sequences)

	err = s.Update(t.Context(), "b", ledger.Names{}, func(ledger.Rows) (ledger.Rows, ledger.Names, error) {
		return ledger.Rows{}, ledger.Names{Keys: []string{"k"}}, nil
	})
	require.Error(t, err, "asking for the same rows for ever ends")
}

func TestCancelledWhileWaiting(t *testing.T) {
	s := memory.New()
	ctx, cancel := context.WithCancel(t.Context())
	inside, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = s.Update(t.Context(), "b", ledger.Names{}, func(ledger.Rows) (ledger.Rows, ledger.Names, error) {
			close(inside)
			<-release
			return ledger.Rows{}, ledger.Names{}, nil
		})
	})
	<-inside
	wg.Go(func() {
		err := s.Update(ctx, "b", ledger.Names{}, func(ledger.Rows) (ledger.Rows, ledger.Names, error) {
			return ledger.Rows{Keys: []ledger.KeyRow{{Key: "k"}}}, ledger.Names{}, nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("an update that waited while its context ended returned %v", err)
		}
	})
	cancel()
	// Another book does not wait for this one.
	require.NoError(t, s.Update(t.Context(), "other", ledger.Names{}, func(ledger.Rows) (ledger.Rows, ledger.Names, error) {
		return ledger.Rows{Keys: []ledger.KeyRow{{Key: "k"}}}, ledger.Names{}, nil
	}))
	close(release)
	wg.Wait()
}

func TestCloneIsApart(t *testing.T) {
	s := memory.New()
	hold := ledger.Hold{ID: uuid.UUID{15: 1}, Account: ledger.AccountID{Path: "cash", Asset: "USD"}, State: ledger.HoldOpen, PlacedAt: start, ExpiresAt: start.Add(time.Hour)}
	rows := ledger.Rows{Holds: []ledger.Hold{hold}, Feed: []ledger.Change{{Position: 1}}}
	for i := range 3 * 256 {
		rows.Accounts = append(rows.Accounts, ledger.AccountInfo{ID: ledger.AccountID{Path: "wallet/" + strconv.Itoa(i), Asset: "USD"}, Owner: strconv.Itoa(i % 7), Version: 1})
	}
	require.NoError(t, write(t, s, rows))
	c := s.Clone()

	closed := hold
	closed.State = ledger.HoldReleased
	first := rows.Accounts[0]
	first.Version, first.Owner = 2, "new"
	require.NoError(t, write(t, s, ledger.Rows{Holds: []ledger.Hold{closed}, Accounts: []ledger.AccountInfo{first}, Keys: []ledger.KeyRow{{Key: "k"}}}))

	names := ledger.Names{Keys: []string{"k"}, Holds: []ledger.ID{hold.ID}, Accounts: []ledger.AccountID{first.ID}}
	got, err := c.Read(t.Context(), "b", names)
	require.NoError(t, err)
	require.Empty(t, got.Keys)
	require.Equal(t, hold, got.Holds[0])
	require.Equal(t, rows.Accounts[0], got.Accounts[0])
	due, err := c.Scan(t.Context(), "b", ledger.Range{List: ledger.ListDueHolds, Limit: 10})
	require.NoError(t, err)
	require.Len(t, due.Holds, 1)
	due, err = s.Scan(t.Context(), "b", ledger.Range{List: ledger.ListDueHolds, Limit: 10})
	require.NoError(t, err)
	require.Empty(t, due.Holds)

	// The copy's lists and rows are one: a change by name shows in the list.
	require.NoError(t, write(t, c, ledger.Rows{Accounts: []ledger.AccountInfo{first}}))
	owned, err := c.Scan(t.Context(), "b", ledger.Range{List: ledger.ListOwned, Owner: "new", Limit: 10})
	require.NoError(t, err)
	require.Equal(t, []ledger.AccountInfo{first}, owned.Accounts)
	require.Error(t, write(t, c, ledger.Rows{Feed: []ledger.Change{{Position: 1}}}))
}
