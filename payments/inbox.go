package payments

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

const (
	kindInbox  = "inbox"
	kindCursor = "cursor"
)

// inboxItem is an event that could not be told to any payment when it came. A worker looks at it again: the payment's
// own reference may become known, or a lookup may explain it.
type inboxItem struct {
	Why    string          `json:"why"`
	Event  providers.Event `json:"event"`
	Looks  int             `json:"looks,omitempty"`
	Ending string          `json:"ending,omitempty"`
}

// inboxLooks is how often an item is looked at, at least, before it is left to a person: at a look that was answered.
const inboxLooks = 8

// putAside makes an event durable that is not understood yet.
func (s *Service) putAside(ctx context.Context, provider string, e providers.Event, why string) error {
	if planted("drop-unknown") {
		return nil
	}
	if e.Report != nil {
		r := *e.Report
		r.Action = nil // may hold secrets
		r.Raw = nil
		e.Report = &r
	}
	body, err := json.Marshal(inboxItem{Why: why, Event: e})
	if err == nil && len(body) > ledger.MaxBodyBytes && e.Report != nil { // what it is about can be asked for
		e.Lookup, e.Report = &providers.Query{Key: e.Report.Key, Reference: e.Report.Reference, Kind: e.Report.Kind}, nil
		body, err = json.Marshal(inboxItem{Why: why, Event: e})
	}
	if err != nil {
		return err
	}
	id := derivedID("inbox", provider, e.ID, string(body)).String()
	due := s.book.Now()
	if why != "hint" {
		due = due.Add(30 * time.Second) // the call that caused it may be about to return
	}
	_, err = s.book.Record(ctx, ledger.Entry{Key: "inbox/" + id, Inputs: id, Commands: []ledger.Command{ledger.PutDocument{
		DocumentID: ledger.DocumentID{Kind: kindInbox, ID: id}, State: "waiting", Due: due, Lane: provider, Schema: 1, Body: body,
	}}})
	return err
}

// sort looks at an inbox item again.
func (s *Service) sort(ctx context.Context, l ledger.Leased) error {
	var item inboxItem
	if err := json.Unmarshal(l.Document.Body, &item); err != nil {
		return refuse(ledger.Corrupt, ErrForeignBody, "body", "%s: %v", l.Document.DocumentID, err)
	}
	report, answered, err := s.explain(ctx, l.Document.Lane, item.Event)
	if err != nil {
		return err
	}
	item.Looks++
	last := answered && item.Looks >= inboxLooks
	if report != nil {
		known, err := s.hear(ctx, l.Document.Lane, *report, last)
		if errors.Is(err, errUnscreened) { // it is known, so no number of looks ends it
			return s.closeItem(ctx, l, item, "", s.book.Now().Add(backoff(item.Looks+2)))
		}
		if err != nil && !unfit(err) { // what the book cannot hold is left to a person
			return err
		}
		if known && err == nil {
			return s.closeItem(ctx, l, item, "told", noDue)
		}
	}
	switch {
	case last && report != nil && len(report.Effects) == 0:
		return s.closeItem(ctx, l, item, "ignored", noDue) // no money is concerned
	case last:
		return s.closeItem(ctx, l, item, "left", noDue)
	}
	return s.closeItem(ctx, l, item, "", s.book.Now().Add(backoff(item.Looks+4)))
}

// explain turns an event into a report, asking the provider if need be; nil when it cannot yet. It tells whether that was
// an answer: a lookup that failed is none, however often it was tried, and never ends the looking.
func (s *Service) explain(ctx context.Context, lane string, e providers.Event) (report *providers.Report, answered bool, err error) {
	if e.Report != nil {
		if e.Report.Validate() != nil {
			return nil, true, nil
		}
		return e.Report, true, nil
	}
	if e.Lookup == nil {
		return nil, true, nil
	}
	p, err := s.lanes.provider(lane)
	if err != nil {
		return nil, false, err
	}
	r, err := p.Lookup(ctx, *e.Lookup)
	switch {
	case err == nil && r.Validate() == nil:
		return &r, true, nil
	case err != nil && ctx.Err() != nil:
		return nil, false, ctx.Err()
	}
	return nil, errors.Is(err, providers.ErrNotFound), nil
}

// closeItem writes the item's next version: ended, or due again. What nobody could explain gets a case.
func (s *Service) closeItem(ctx context.Context, l ledger.Leased, item inboxItem, ending string, due time.Time) error {
	item.Ending = ending
	body, err := json.Marshal(item)
	if err != nil {
		return err
	}
	d := l.Document
	put := ledger.PutDocument{DocumentID: d.DocumentID, Version: d.Version, State: "waiting", Due: due, Lane: d.Lane, Schema: 1, Body: body}
	if ending != "" {
		put.State = ending
	}
	e := ledger.Entry{Key: stepKey(d.DocumentID.ID, d.Version, "inbox"), Commands: []ledger.Command{put}, Leases: []ledger.Lease{l.Lease}}
	if ending == "left" {
		e.Guards = []ledger.Guard{{
			Reads: ledger.Reads{Documents: []ledger.DocumentID{caseDocument(d.DocumentID.ID)}},
			Check: func(v ledger.View) ([]ledger.Command, error) {
				return addFindings(v, d.DocumentID.ID, d.Lane, "", []Finding{{Code: "unexplained", Text: "an event about nothing we know: " + item.Why, Effect: item.Event.ID}})
			},
		}}
	}
	_, err = s.book.Record(ctx, e)
	return err
}

// cursorBody is where polling a provider has got to.
type cursorBody struct {
	Cursor string `json:"cursor"`
}

func cursorDocument(provider string) ledger.DocumentID {
	return ledger.DocumentID{Kind: kindCursor, ID: provider}
}

// ensureCursors gives every provider that can be polled the document that makes polling due work.
func (s *Service) ensureCursors(ctx context.Context) (int, error) {
	made := 0
	for _, name := range s.lanes.names() {
		s.lanes.mu.RLock()
		seen := s.lanes.cursors[name]
		s.lanes.mu.RUnlock()
		p, err := s.lanes.provider(name)
		if err != nil || seen {
			continue
		}
		if _, polls := providers.As[providers.Poller](p); polls {
			body, err := json.Marshal(cursorBody{})
			if err != nil {
				return made, err
			}
			receipt, err := s.book.Record(ctx, ledger.Entry{Key: "cursor/" + name, Inputs: name, Commands: []ledger.Command{ledger.PutDocument{
				DocumentID: cursorDocument(name), State: "polling", Due: s.book.Now(), Lane: name, Schema: 1, Body: body,
			}}})
			if err != nil {
				return made, err
			}
			if !receipt.Replayed {
				made++
			}
		}
		s.lanes.mu.Lock()
		s.lanes.cursors[name] = true
		s.lanes.mu.Unlock()
	}
	return made, nil
}

// poll takes a provider's next events into the book, then moves the cursor. Events that were taken twice do nothing. When
// there was nothing new the cursor's document stays as it is and rests, so that polling leaves no trace in history.
func (s *Service) poll(ctx context.Context, l ledger.Leased) (rest time.Duration, err error) {
	name, d := l.Document.DocumentID.ID, l.Document
	p, err := s.lanes.provider(name)
	if err != nil {
		return 0, err
	}
	poller, ok := providers.As[providers.Poller](p)
	if !ok {
		return s.config.PollEvery, nil
	}
	var body cursorBody
	if err := json.Unmarshal(d.Body, &body); err != nil {
		return s.config.PollEvery, refuse(ledger.Corrupt, ErrForeignBody, "body", "%s: %v", d.DocumentID, err)
	}
	events, next, err := poller.Poll(ctx, body.Cursor, batch)
	if err == nil {
		err = s.resumed(ctx, name)
	} else if errors.Is(err, providers.ErrHalted) {
		err = errors.Join(err, s.halted(ctx, name, err))
	}
	if err != nil {
		return s.config.PollEvery, err
	}
	for _, e := range events {
		if err := s.deliver(ctx, name, e); err != nil && !planted("cursor-ahead") {
			return s.config.PollEvery, err
		}
	}
	if next == body.Cursor {
		return s.config.PollEvery, nil
	}
	due := s.book.Now()
	if len(events) < batch {
		due = due.Add(s.config.PollEvery)
	}
	raw, err := json.Marshal(cursorBody{Cursor: next})
	if err != nil {
		return 0, err
	}
	_, err = s.book.Record(ctx, ledger.Entry{
		Key: stepKey("cursor/"+name, d.Version, "poll"), Leases: []ledger.Lease{l.Lease},
		Commands: []ledger.Command{ledger.PutDocument{DocumentID: d.DocumentID, Version: d.Version, State: "polling", Due: due, Lane: name, Schema: 1, Body: raw}},
	})
	return 0, err
}
