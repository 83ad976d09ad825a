package ach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// What the adapter remembers, as JSON documents of the StateStore:
//
//	account/<token>   a bank account, its number sealed; every change makes a new version inside the document
//	op/<key>          an operation: what was asked, the slot it asks for, what came back
//	page/<n>          pageSize slots: which key has which slot. Writing a key into its page is what accepts an operation
//	file/<n>          a file: what belongs in it, fixed before it is written, and what became of it
//	setup             what trace numbers are made of
//	work              an index of the files that are not done; it may be behind
//	events/<n>        what happened, for Poll
//	notices/<n>       what a person should see
//	inbox/<sha-256>   a file of the inbox that was dealt with
type (
	operation struct {
		Kind       providers.Kind  `json:"kind"`
		Amount     currency.Amount `json:"amount,omitzero"`
		Instrument string          `json:"instrument,omitempty"`
		Target     string          `json:"target,omitempty"`
		TargetRef  string          `json:"target_reference,omitempty"`
		At         time.Time       `json:"at"`
		Slot       int64           `json:"slot"`
		Parts      []part          `json:"parts,omitempty"` // entries, one a slot; none: the slot is only a reference
		Failed     *failure        `json:"failed,omitempty"`
		Returns    []returned      `json:"returns,omitempty"`
		Micro      *sealed         `json:"micro,omitempty"`     // the amounts of two micro-deposits
		Tries      int             `json:"tries,omitempty"`     // wrong amounts told
		Confirmed  *time.Time      `json:"confirmed,omitempty"` // right amounts told
	}
	// part is an entry to send. What its account number is, the file says.
	part struct {
		Purpose purpose `json:"purpose"`
		Credit  bool    `json:"credit"`
		Cents   int64   `json:"cents,omitempty"` // of micro-deposits it is 0: they are sealed
	}
	failure struct {
		Code   string `json:"code"`
		Public string `json:"public"`
	}
	returned struct {
		Part  int       `json:"part"`
		Code  string    `json:"code"`
		Trace string    `json:"trace"` // of the return entry
		At    time.Time `json:"at"`
		Early bool      `json:"early,omitempty"` // before the entry was taken to have settled
	}
	purpose string
)

const (
	payment purpose = "payment"
	prenote purpose = "prenote"
	micro   purpose = "micro"
)

const pageSize = 100

type (
	page struct {
		Items []item `json:"items"`
	}
	item struct {
		Key      string `json:"key"`
		Part     int    `json:"part,omitempty"`
		None     bool   `json:"none,omitempty"`     // no entry
		Canceled string `json:"canceled,omitempty"` // by the operation of that key
		File     int64  `json:"file,omitempty"`     // 0: waits for a cut-off; told: an item without an entry was announced
	}
)

// told marks an item that has no entry and was announced to Poll.
const told = -1

type (
	work struct {
		Scan int64   `json:"scan"` // every item of the pages before is in a file, canceled or told
		Next int64   `json:"next"` // number of the next file
		Open []int64 `json:"open,omitempty"`
		// Last pages of the logs.
		Events  int64 `json:"events,omitempty"`
		Notices int64 `json:"notices,omitempty"`
	}
	file struct {
		Name     string     `json:"name"`
		Created  time.Time  `json:"created"`
		Modifier string     `json:"modifier"`
		Batches  []batch    `json:"batches"`
		Written  bool       `json:"written,omitempty"`
		Sent     *time.Time `json:"sent,omitempty"`
		Accepted *time.Time `json:"accepted,omitempty"`
		Rejected *failure   `json:"rejected,omitempty"`
		Told     bool       `json:"told,omitempty"` // the rejection was announced
	}
	batch struct {
		SEC       string     `json:"sec"`
		Credit    bool       `json:"credit,omitempty"`
		Purpose   purpose    `json:"purpose"`
		SameDay   bool       `json:"same_day,omitempty"`
		Effective time.Time  `json:"effective"`
		Entries   []entry    `json:"entries"`
		Settled   *time.Time `json:"settled,omitempty"`
		Final     bool       `json:"final,omitempty"`
		Told      int        `json:"told,omitempty"` // how many of settled and final were announced
	}
	// entry pins the version of the account that the file was built with, so that building it again gives the same bytes.
	entry struct {
		Slot    int64 `json:"slot"`
		Version int   `json:"version,omitempty"`
	}
)

func (b batch) has(slot int64) bool {
	for _, e := range b.Entries {
		if e.Slot == slot {
			return true
		}
	}
	return false
}

// documents reads and writes JSON through a StateStore.
type documents struct{ store providers.StateStore }

func pageKey(n int64) string { return fmt.Sprintf("page/%d", n) }
func fileKey(n int64) string { return fmt.Sprintf("file/%d", n) }

// load reads a document; one that was never stored is version 0 and leaves v alone.
func (d documents) load(ctx context.Context, key string, v any) (version uint64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	value, version, err := d.store.Load(ctx, key)
	if err != nil {
		return 0, fmt.Errorf("ach: loading %s: %w", key, err)
	}
	if version == 0 {
		return 0, nil
	}
	if json.Unmarshal(value, v) != nil { // whose error may quote the value
		return 0, fmt.Errorf("ach: %s holds something that cannot be read", key)
	}
	return version, nil
}

// save writes a document over the version that was read, and returns the new version.
func (d documents) save(ctx context.Context, key string, v any, version uint64) (uint64, error) {
	value, err := json.Marshal(v)
	if err != nil {
		return 0, fmt.Errorf("ach: %s: %w", key, err)
	}
	version, err = d.store.Store(ctx, key, value, version)
	if err != nil {
		return 0, fmt.Errorf("ach: storing %s: %w", key, err)
	}
	return version, nil
}

// errSame is what a change returns when there is nothing to change.
var errSame = errors.New("ach: nothing to change")

// errBusy says that a document changed under our hands for too long.
var errBusy = errors.New("ach: too many writers at once")

const tries = 1000

// change reads, changes and writes a document until nobody else was in between. It is not called for what may be new and
// must be: change sees the zero value then. An error of change ends it; errSame does so without being one.
func change[T any](ctx context.Context, d documents, key string, change func(v *T) error) error {
	for range tries {
		var v T
		version, err := d.load(ctx, key, &v)
		if err != nil {
			return err
		}
		if err := change(&v); err != nil {
			if errors.Is(err, errSame) {
				return nil
			}
			return err
		}
		_, err = d.save(ctx, key, v, version)
		if !errors.Is(err, providers.ErrStateConflict) {
			return err
		}
	}
	return fmt.Errorf("%w: %s", errBusy, key)
}
