package processes

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// The far side: a bank of its own process behind HTTP. What it did is a line in a file before anybody hears of it, and it
// acts once for a key. It knows nothing of kosh but amounts.

// order is what the bank is asked to do.
type order struct {
	Key    string          `json:"key"`
	Kind   providers.Kind  `json:"kind"`
	Amount currency.Amount `json:"amount,omitzero"`
	Note   string          `json:"note,omitempty"` // the request's own key, for the audit
	Target string          `json:"target,omitempty"`
}

// movement is money that moved. It is written once, and never again.
type movement struct {
	ID       string          `json:"id"`
	Kind     string          `json:"kind"`
	Amount   currency.Amount `json:"amount"` // signed, on our balance
	Reverses string          `json:"reverses,omitempty"`
	At       time.Time       `json:"at"`
}

// page is a line of the bank's file: an order that was taken, or what became of it.
type page struct {
	Order  *order     `json:"order,omitempty"`
	Key    string     `json:"key,omitempty"`
	State  string     `json:"state,omitempty"`
	Final  bool       `json:"final,omitempty"`
	Moved  []movement `json:"moved,omitempty"`
	Reason string     `json:"reason,omitempty"`
	At     time.Time  `json:"at"`
}

// dealing is what the bank knows of one key.
type dealing struct {
	Order  order      `json:"order"`
	State  string     `json:"state"`
	Final  bool       `json:"final"`
	Moved  []movement `json:"moved"`
	Reason string     `json:"reason"`
	At     time.Time  `json:"at"`
	Taken  int        `json:"taken"` // times the order was carried out: lines of the file
}

// account is the bank's own truth.
type account struct {
	Dealings []dealing                   `json:"dealings"`
	Balances map[string]*currency.Amount `json:"balances"`
}

type far struct {
	mu     sync.Mutex
	file   *os.File
	byKey  map[string]*dealing
	order  []string // keys as they were taken
	events []string // keys as they changed
	calm   bool
	rnd    *rand.Rand
}

// farMain is the main function of the bank: its file and address.
func farMain(args []string) error {
	f := &far{byKey: map[string]*dealing{}, rnd: rand.New(rand.NewPCG(uint64(os.Getpid()), 1))}
	var err error
	if f.file, err = os.OpenFile(args[0], os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	}
	lines := bufio.NewScanner(f.file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var p page
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			continue // the last line, torn by a kill: nobody heard of it
		}
		f.apply(p)
	}
	if err := errors.Join(lines.Err(), f.endLine()); err != nil {
		return err
	}
	l, err := net.Listen("tcp", args[1])
	if err != nil {
		return err
	}
	return http.Serve(l, f)
}

// endLine ends a torn line, so that the next one stands by itself.
func (f *far) endLine() error {
	info, err := f.file.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	last := make([]byte, 1)
	if _, err := f.file.ReadAt(last, info.Size()-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = f.file.WriteString("\n")
	return err
}

// write makes a page durable, then true.
func (f *far) write(p page) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if _, err := f.file.Write(append(b, '\n')); err != nil {
		return err
	}
	f.apply(p)
	return nil
}

func (f *far) apply(p page) {
	key := p.Key
	if p.Order != nil {
		key = p.Order.Key
	}
	d := f.byKey[key]
	if d == nil {
		d = &dealing{}
		f.byKey[key] = d
		f.order = append(f.order, key)
	}
	if p.Order != nil {
		d.Order = *p.Order
		d.Taken++
	}
	d.State, d.Final, d.Reason, d.At = p.State, p.Final, p.Reason, p.At
	d.Moved = append(d.Moved, p.Moved...)
	f.events = append(f.events, key)
}

// temper is what this bank does about a key: always the same.
func temper(key string) uint32 {
	h := fnv.New32a()
	_, _ = io.WriteString(h, key)
	return h.Sum32() % 16
}

// take carries an order out, unless it did before.
func (f *far) take(o order, now time.Time) (*dealing, error) {
	if d := f.byKey[o.Key]; d != nil {
		return d, nil
	}
	p := page{Order: &o, State: "pending", At: now}
	switch t := temper(o.Key); {
	case o.Kind == providers.Link:
		p.State, p.Final = "succeeded", true
	case t == 0 && o.Kind != providers.Refund:
		p.State, p.Final, p.Reason = "failed", true, "declined"
	case t < 5: // later
	default:
		p.State, p.Final, p.Moved = "succeeded", t != 15, moves(o, now)
	}
	err := f.write(p)
	return f.byKey[o.Key], err
}

// moves is what carrying an order out moves: a deposit costs a fee.
func moves(o order, now time.Time) []movement {
	m := movement{ID: o.Key + ":m", Kind: "moved", Amount: o.Amount, At: now}
	if o.Kind != providers.Deposit {
		m.Amount, _ = o.Amount.Neg() // an amount of this size
		return []movement{m}
	}
	return []movement{m, {ID: o.Key + ":f", Kind: "fee", Amount: currency.MustNew(-3, o.Amount.Asset()), At: now}}
}

// pass lets happen what is due: orders that take a while, and payouts that bounce.
func (f *far) pass(now time.Time) error {
	for _, key := range f.order {
		d := f.byKey[key]
		if d.Final || now.Sub(d.At) < 200*time.Millisecond {
			continue
		}
		p := page{Key: key, State: "succeeded", Final: true, At: now}
		switch {
		case d.State == "pending":
			p.Moved = moves(d.Order, now)
		case d.Order.Kind == providers.Withdrawal: // it bounces
			back, _ := d.Moved[0].Amount.Neg()
			p.Reason = "bounced"
			p.Moved = []movement{{ID: key + ":r", Kind: "reversed", Amount: back, Reverses: d.Moved[0].ID, At: now}}
		}
		if err := f.write(p); err != nil {
			return err
		}
	}
	return nil
}

// ServeHTTP is the bank's counter, on a line that loses requests and answers.
func (f *far) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fault := 100
	if !f.calm && r.URL.Path != "/truth" {
		fault = f.rnd.IntN(40)
	}
	switch {
	case fault < 2:
		panic(http.ErrAbortHandler) // the request is lost
	case fault == 2:
		http.Error(w, "<html>Bad Gateway", http.StatusBadGateway)
		return
	}
	answer, status := f.answer(r)
	switch {
	case fault == 3 || fault == 4:
		panic(http.ErrAbortHandler) // the answer is lost
	case fault == 5:
		http.Error(w, "oops", http.StatusInternalServerError)
		return
	case fault == 6:
		_, _ = io.WriteString(w, `{"state":"succ`)
		return
	}
	if status != http.StatusOK {
		http.Error(w, fmt.Sprint(answer), status)
		return
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (f *far) answer(r *http.Request) (any, int) {
	now := time.Now()
	if err := f.pass(now); err != nil {
		return err, http.StatusInternalServerError
	}
	switch r.URL.Path {
	case "/submit":
		var o order
		if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
			return err, http.StatusBadRequest
		}
		d, err := f.take(o, now)
		if err != nil {
			return err, http.StatusInternalServerError
		}
		return d, http.StatusOK
	case "/lookup":
		d := f.byKey[r.URL.Query().Get("key")]
		if d == nil {
			return "nothing", http.StatusNotFound
		}
		return d, http.StatusOK
	case "/events":
		after, _ := strconv.Atoi(r.URL.Query().Get("after"))
		var all []dealing
		for _, key := range f.events[min(after, len(f.events)):] {
			all = append(all, *f.byKey[key])
			if len(all) == 50 {
				break
			}
		}
		return all, http.StatusOK
	case "/calm":
		f.calm = true
		return "calm", http.StatusOK
	}
	return f.truth(), http.StatusOK
}

func (f *far) truth() account {
	a := account{Balances: map[string]*currency.Amount{}}
	for _, key := range f.order {
		d := *f.byKey[key]
		a.Dealings = append(a.Dealings, d)
		for _, m := range d.Moved {
			id := string(m.Amount.AssetID())
			sum := m.Amount
			if before := a.Balances[id]; before != nil {
				sum, _ = before.Add(m.Amount)
			}
			a.Balances[id] = &sum
		}
	}
	return a
}
