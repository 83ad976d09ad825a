package ach

import (
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

func pageKey(n int64) string { return fmt.Sprintf("page/%d", n) }
func fileKey(n int64) string { return fmt.Sprintf("file/%d", n) }

// tries bounds what is tried again because others were faster, where several documents are concerned.
const tries = 1000
