package ach

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Notice is something that a person should see. It names accounts by token and holds no account number.
type Notice struct {
	ID    string     `json:"id"` // the same when the same thing is noticed again after a crash
	At    time.Time  `json:"at"`
	Kind  NoticeKind `json:"kind"`
	File  string     `json:"file,omitempty"`  // name of a file of the inbox or outbox
	Trace string     `json:"trace,omitempty"` // of the original entry
	Code  string     `json:"code,omitempty"`  // R01, C02 …
	Key   string     `json:"key,omitempty"`   // of the operation
	Token string     `json:"token,omitempty"` // of the bank account
	Text  string     `json:"text"`
}

// NoticeKind says what a notice is about.
type NoticeKind string

// The kinds of notices.
const (
	Quarantined     NoticeKind = "quarantined"      // a file of the inbox could not be read; it lies in quarantine
	FileRejected    NoticeKind = "file_rejected"    // the bank did not accept a file; its entries have failed
	Contradiction   NoticeKind = "contradiction"    // the bank rejected a file whose entries had settled
	UnmatchedReturn NoticeKind = "unmatched_return" // no entry of ours, or not as we sent it; nothing was done
	RepeatedReturn  NoticeKind = "repeated_return"  // of an entry that was returned before; nothing was done
	LateReturn      NoticeKind = "late_return"      // taken as a fact, but after its window: the bank may dishonour it
	DishonoredNote  NoticeKind = "dishonored"       // a return was dishonoured, or the dishonour contested: for the bank to settle
	MicroLoss       NoticeKind = "micro_loss"       // the debit that takes micro-deposits back was returned: a few cents are lost
	ChangeApplied   NoticeKind = "change_applied"   // an account was corrected as its bank told us
	ChangeUnapplied NoticeKind = "change_unapplied" // a notification of change that a person must act on, within six banking days
	Unexpected      NoticeKind = "unexpected"       // an entry that is no return and no notification of change
)

func (p *Provider) notice(ctx context.Context, n Notice) error {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(n.Kind), n.File, n.Trace, n.Code, n.Key, n.Token, n.Text}, "\x00")))
	n.ID, n.At = hex.EncodeToString(sum[:8]), p.now().UTC()
	if err := p.hint(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	from := p.notices
	p.mu.Unlock()
	last, err := appendLog(ctx, p.state, "notices", from, n)
	p.mu.Lock()
	p.notices = max(p.notices, last)
	p.mu.Unlock()
	return err
}

// Notices returns what a person should see after a cursor, at most limit, and the next cursor; the empty cursor is the
// beginning. At the end it returns none and the cursor that it was given.
func (p *Provider) Notices(ctx context.Context, cursor string, limit int) (notices []Notice, next string, err error) {
	var at [2]int64
	if err := parseCursor(cursor, at[:]); err != nil {
		return nil, cursor, err
	}
	next = cursor
	err = readLog(ctx, p.state, "notices", at[0], int(at[1]), func(n int64, i int, item Notice) bool {
		if len(notices) >= limit {
			return false
		}
		notices = append(notices, item)
		next = fmt.Sprintf("%d.%d", n, i+1)
		return true
	})
	if err != nil {
		return nil, cursor, err
	}
	return notices, next, nil
}
