package ledger

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/koshpay/kosh/currency"
)

// jsonWriter writes commands as JSON, byte for byte as encoding/json does, which is what keys have always stood for, but
// without reflection and without a piece of memory for every value. What is rare is left to encoding/json.
type jsonWriter struct {
	b   []byte
	err error // the first
}

// appendCommand appends a command as json.Marshal writes it.
func appendCommand(b []byte, c Command) ([]byte, error) {
	w := jsonWriter{b: b}
	switch c := c.(type) {
	case OpenAccount:
		w.openAccount(&c)
	case Post:
		w.post(&c)
	case Draw:
		w.draw(&c)
	case PlaceHold:
		w.placeHold(&c)
	case Capture:
		w.capture(&c)
	case Release:
		w.release(&c)
	case Reverse:
		w.reverse(&c)
	case PutDocument:
		w.putDocument(&c)
	default:
		w.any(c)
	}
	return w.b, w.err
}

func (w *jsonWriter) openAccount(c *OpenAccount) {
	w.raw(`{"account":`)
	w.account(&c.Account)
	w.raw(`,"type":`)
	w.word(typeNames[:], uint8(c.Type), c.Type)
	w.optional(`,"owner":`, c.Owner)
	w.raw(`,"floor":`)
	w.amount(c.Floor)
	w.raw(`,"ceiling":`)
	w.amount(c.Ceiling)
	w.raw(`}`)
}

func (w *jsonWriter) post(c *Post) {
	w.raw(`{`)
	w.id(`"id":`, c.ID)
	w.name(`"postings":`)
	w.postings(c.Postings)
	w.time(c.EffectiveAt, `,"effective_at":`)
	w.flag(c.Fact, `,"fact":true`)
	w.note(&c.Note)
	w.raw(`}`)
}

func (w *jsonWriter) draw(c *Draw) {
	w.raw(`{`)
	w.id(`"id":`, c.ID)
	w.name(`"amount":`)
	w.amount(c.Amount)
	w.raw(`,"from":`)
	w.accounts(c.From)
	w.raw(`,"to":`)
	w.accounts(c.To)
	w.time(c.EffectiveAt, `,"effective_at":`)
	w.flag(c.Fact, `,"fact":true`)
	w.note(&c.Note)
	w.raw(`}`)
}

func (w *jsonWriter) placeHold(c *PlaceHold) {
	w.raw(`{`)
	w.id(`"id":`, c.ID)
	w.name(`"account":`)
	w.account(&c.Account)
	w.raw(`,"amount":`)
	w.amount(c.Amount)
	w.time(c.ExpiresAt, `,"expires_at":`)
	w.flag(c.Fact, `,"fact":true`)
	w.note(&c.Note)
	w.raw(`}`)
}

func (w *jsonWriter) capture(c *Capture) {
	w.raw(`{`)
	w.id(`"id":`, c.ID)
	w.name(`"hold":`)
	w.ref(c.Hold)
	w.raw(`,"to":`)
	jsonList(w, c.To, func(w *jsonWriter, p *Portion) {
		w.raw(`{"account":`)
		w.account(&p.Account)
		w.raw(`,"amount":`)
		w.amount(p.Amount)
		w.raw(`}`)
	})
	w.flag(c.Final, `,"final":true`)
	w.time(c.EffectiveAt, `,"effective_at":`)
	w.flag(c.Fact, `,"fact":true`)
	w.note(&c.Note)
	w.raw(`}`)
}

func (w *jsonWriter) release(c *Release) {
	w.raw(`{"hold":`)
	w.ref(c.Hold)
	w.raw(`,"amount":`)
	w.amount(c.Amount)
	w.flag(c.All, `,"all":true`)
	w.raw(`}`)
}

func (w *jsonWriter) reverse(c *Reverse) {
	w.raw(`{`)
	w.id(`"id":`, c.ID)
	w.name(`"transaction":`)
	w.ref(c.Transaction)
	if len(c.Part) > 0 {
		w.raw(`,"part":`)
		w.postings(c.Part)
	}
	w.flag(c.All, `,"all":true`)
	w.flag(c.Fact, `,"fact":true`)
	w.note(&c.Note)
	w.raw(`}`)
}

func (w *jsonWriter) putDocument(c *PutDocument) {
	w.raw(`{"kind":`)
	w.text(c.Kind)
	w.raw(`,"id":`)
	w.text(c.ID)
	w.raw(`,"version":`)
	w.b = strconv.AppendUint(w.b, c.Version, 10)
	w.optional(`,"owner":`, c.Owner)
	w.optional(`,"state":`, c.State)
	w.time(c.Due, `,"due":`)
	w.optional(`,"lane":`, c.Lane)
	if len(c.References) > 0 {
		w.raw(`,"references":`)
		jsonList(w, c.References, func(w *jsonWriter, s *string) { w.text(*s) })
	}
	if c.Schema != 0 {
		w.raw(`,"schema":`)
		w.b = strconv.AppendUint(w.b, uint64(c.Schema), 10)
	}
	if len(c.Body) > 0 {
		w.raw(`,"body":`)
		w.any(c.Body)
	}
	w.raw(`}`)
}

func (w *jsonWriter) raw(s string) { w.b = append(w.b, s...) }

// any is the long way.
func (w *jsonWriter) any(v any) {
	raw, err := json.Marshal(v)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.b = append(w.b, raw...)
}

// name writes the name of a field that may be the first.
func (w *jsonWriter) name(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.raw(`,`)
	}
	w.raw(name)
}

func (w *jsonWriter) text(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			w.any(s)
			return
		}
	}
	w.b = append(append(append(w.b, '"'), s...), '"')
}

func (w *jsonWriter) optional(name, s string) {
	if s != "" {
		w.raw(name)
		w.text(s)
	}
}

func (w *jsonWriter) flag(is bool, field string) {
	if is {
		w.raw(field)
	}
}

func (w *jsonWriter) word(words []string, n uint8, v any) {
	if int(n) >= len(words) {
		w.any(v) // has an error to say
		return
	}
	w.text(words[n])
}

func (w *jsonWriter) id(name string, id ID) {
	if id == (ID{}) {
		return
	}
	w.raw(name)
	w.text(id.String())
}

func (w *jsonWriter) time(t time.Time, name string) {
	if t.IsZero() {
		return
	}
	w.raw(name)
	if y := t.Year(); t.Location() != time.UTC || y < 1 || y > 9999 {
		w.any(t)
		return
	}
	w.b = append(t.AppendFormat(append(w.b, '"'), time.RFC3339Nano), '"')
}

func (w *jsonWriter) amount(a currency.Amount) {
	if !a.IsValid() {
		w.raw(`null`)
		return
	}
	w.raw(`{"amount":"`)
	text, err := a.AppendText(w.b) // the number, a space, the asset
	if err != nil && w.err == nil {
		w.err = err
	}
	asset := a.AssetID()
	w.b = text[:len(text)-len(asset)-1]
	w.raw(`","asset":"`)
	w.raw(string(asset)) // needs no escape
	w.raw(`"}`)
}

func (w *jsonWriter) account(id *AccountID) {
	w.raw(`{"path":`)
	w.text(id.Path)
	w.raw(`,"asset":`)
	w.text(string(id.Asset))
	w.raw(`}`)
}

func (w *jsonWriter) accounts(ids []AccountID) { jsonList(w, ids, (*jsonWriter).account) }

func (w *jsonWriter) postings(postings []Posting) {
	jsonList(w, postings, func(w *jsonWriter, p *Posting) {
		w.raw(`{"account":`)
		w.account(&p.Account)
		w.raw(`,"side":`)
		w.word(sideNames[:], uint8(p.Side), p.Side)
		w.raw(`,"amount":`)
		w.amount(p.Amount)
		w.raw(`}`)
	})
}

func jsonList[T any](w *jsonWriter, all []T, write func(*jsonWriter, *T)) {
	if all == nil {
		w.raw(`null`)
		return
	}
	w.raw(`[`)
	for i := range all {
		if i > 0 {
			w.raw(`,`)
		}
		write(w, &all[i])
	}
	w.raw(`]`)
}

func (w *jsonWriter) ref(r Ref) {
	w.raw(`{`)
	w.id(`"id":`, r.ID)
	if r.Nth != 0 {
		w.name(`"nth":`)
		w.any(r.Nth)
	}
	if r.New {
		w.name(`"new":true`)
	}
	w.raw(`}`)
}

func (w *jsonWriter) note(n *Note) {
	w.optional(`,"reference":`, n.Reference)
	w.optional(`,"description":`, n.Description)
	if len(n.Meta) > 0 {
		w.raw(`,"meta":`)
		w.any(n.Meta)
	}
}
