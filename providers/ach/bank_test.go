package ach

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	nacha "github.com/moov-io/ach"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// The routing numbers are of no bank that exists: their check digits are right.
const (
	odfi    = "061000010"
	rdfi    = "072000012"
	newRDFI = "091000022"
)

// monday is a Monday morning in a week without holidays.
var monday = time.Date(2026, time.March, 2, 9, 0, 0, 0, eastern)

type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.now) {
		c.now = t
	}
}

// memory is a StateStore that can fail.
type memory struct {
	mu       sync.Mutex
	values   map[string][]byte
	versions map[string]uint64
	appends  int      // attempts to give a key a slot, those that met a fault included
	late     []func() // writes that are on their way
	// fault decides about a call: whether it is done, and what is answered.
	fault func(op, key string) (done bool, err error)
}

func newMemory() *memory { return &memory{values: map[string][]byte{}, versions: map[string]uint64{}} }

func (m *memory) meet(op, key string) (bool, error) {
	if m.fault == nil {
		return true, nil
	}
	return m.fault(op, key)
}

func (m *memory) Load(ctx context.Context, key string) ([]byte, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.meet("load", key); err != nil {
		return nil, 0, err
	}
	return bytes.Clone(m.values[key]), m.versions[key], ctx.Err()
}

func (m *memory) Store(ctx context.Context, key string, value []byte, version uint64) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if strings.HasPrefix(key, "page/") && bytes.Count(value, []byte(`"key"`)) > bytes.Count(m.values[key], []byte(`"key"`)) {
		m.appends++
	}
	done, err := m.meet("store", key)
	if errors.Is(err, errSlow) {
		value = bytes.Clone(value)
		m.late = append(m.late, func() {
			if m.versions[key] == version {
				m.values[key], m.versions[key] = value, version+1
			}
		})
	}
	if !done {
		return 0, err
	}
	if m.versions[key] != version {
		return 0, errors.Join(err, providers.ErrStateConflict)
	}
	m.values[key], m.versions[key] = bytes.Clone(value), version+1
	if err != nil {
		return 0, err
	}
	return version + 1, nil
}

// slow makes the next write under a prefix time out, and arrive when arrive is called.
func (m *memory) slow(prefix string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = func(op, key string) (bool, error) {
		if op != "store" || !strings.HasPrefix(key, prefix) {
			return true, nil
		}
		m.fault = nil
		return false, errSlow
	}
}

var errSlow = errors.New("i/o timeout")

// arrive does the writes that are on their way.
func (m *memory) arrive() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, do := range m.late {
		do()
	}
	m.late = nil
}

// bank is a pretend bank: it takes files out of the outbox, keeps books, and writes into the inbox.
type bank struct {
	t       *testing.T
	outbox  string
	inbox   string
	clock   *testClock
	entries []taken
	returns map[string]string // account number: the code with which its entries come back, on the next banking day
	due     []dueReturn
	files   int
	seen    map[string]bool // file contents
}

type taken struct {
	file      string
	sec       string
	effective string
	detail    *nacha.EntryDetail
}

type dueReturn struct {
	at    time.Time
	code  string
	entry taken
}

// collect takes the files of the outbox, as a program does that hands them over, and says so.
func (b *bank) collect(p *Provider) {
	b.t.Helper()
	names, err := p.Outbox()
	require.NoError(b.t, err)
	for _, name := range names {
		b.take(name)
		require.NoError(b.t, p.Sent(name))
		if p.config.Acknowledged {
			b.put("ack-"+name, []byte("ACK "+name+"\n"))
		}
	}
}

// take reads a file as strictly as the library does.
func (b *bank) take(name string) {
	b.t.Helper()
	content, err := os.ReadFile(filepath.Join(b.outbox, name))
	require.NoError(b.t, err)
	require.False(b.t, b.seen[string(content)], "the same file twice: %s", name)
	b.seen[string(content)] = true
	f, err := nacha.NewReader(bytes.NewReader(content)).Read()
	require.NoError(b.t, err, "%s", content)
	require.NoError(b.t, f.Validate())
	for _, batch := range f.Batches {
		h := batch.GetHeader()
		for _, e := range batch.GetEntries() {
			one := taken{file: name, sec: h.StandardEntryClassCode, effective: h.EffectiveEntryDate, detail: e}
			b.entries = append(b.entries, one)
			if code := b.returns[strings.TrimSpace(e.DFIAccountNumber)]; code != "" {
				day, err := time.ParseInLocation("060102", h.EffectiveEntryDate, eastern)
				require.NoError(b.t, err)
				b.due = append(b.due, dueReturn{at(AddBankingDays(day, 1), 7, 0), code, one})
			}
		}
	}
}

// executed counts the entries under a key.
func (b *bank) executed(key string) (n int) {
	for _, e := range b.entries {
		if strings.TrimSpace(e.detail.IdentificationNumber) == ident(key) {
			n++
		}
	}
	return n
}

// act sends back what is due.
func (b *bank) act() {
	b.t.Helper()
	var left []dueReturn
	for _, d := range b.due {
		if d.at.After(b.clock.read()) {
			left = append(left, d)
			continue
		}
		b.send(returnOf(d.entry, d.code))
	}
	b.due = left
}

// answer is an entry that the bank sends, and the class of its batch.
type answer struct {
	sec    string
	detail *nacha.EntryDetail
}

var returnSequence int

// back copies an entry as its bank sends it back, with a trace number of its own.
func back(e taken) *nacha.EntryDetail {
	returnSequence++
	d := nacha.NewEntryDetail()
	d.TransactionCode = e.detail.TransactionCode
	switch d.TransactionCode % 10 {
	case 2, 3:
		d.TransactionCode = d.TransactionCode/10*10 + 1
	case 7, 8:
		d.TransactionCode = d.TransactionCode/10*10 + 6
	}
	d.SetRDFI(odfi)
	d.DFIAccountNumber = strings.TrimSpace(e.detail.DFIAccountNumber)
	d.Amount = e.detail.Amount
	d.IdentificationNumber = strings.TrimSpace(e.detail.IdentificationNumber)
	d.IndividualName = strings.TrimSpace(e.detail.IndividualName)
	d.TraceNumber = fmt.Sprintf("%s%07d", rdfi[:8], returnSequence)
	d.AddendaRecordIndicator = 1
	return d
}

func returnOf(e taken, code string) answer {
	d := back(e)
	d.Category = nacha.CategoryReturn
	a := nacha.NewAddenda99()
	a.ReturnCode, a.OriginalTrace, a.OriginalDFI, a.TraceNumber = code, e.detail.TraceNumber, rdfi[:8], d.TraceNumber
	d.Addenda99 = a
	return answer{e.sec, d}
}

func changeOf(e taken, code, data string) answer {
	d := back(e)
	d.Amount, d.Category = 0, nacha.CategoryNOC
	a := nacha.NewAddenda98()
	a.ChangeCode, a.OriginalTrace, a.OriginalDFI, a.CorrectedData, a.TraceNumber = code, e.detail.TraceNumber, rdfi[:8], data, d.TraceNumber
	d.Addenda98 = a
	return answer{nacha.COR, d}
}

// send writes answers into the inbox as one file, and returns its name.
func (b *bank) send(answers ...answer) string {
	b.t.Helper()
	name := fmt.Sprintf("return-%d.ach", b.files+1)
	b.put(name, b.file(answers...))
	return name
}

func (b *bank) put(name string, content []byte) {
	b.t.Helper()
	require.NoError(b.t, os.WriteFile(filepath.Join(b.inbox, name), content, 0o600))
}

func (b *bank) file(answers ...answer) []byte {
	b.t.Helper()
	b.files++
	f := nacha.NewFile()
	f.Header.ImmediateDestination, f.Header.ImmediateDestinationName = odfi, "Our Company"
	f.Header.ImmediateOrigin, f.Header.ImmediateOriginName = odfi, "Our Bank"
	f.Header.FileCreationDate, f.Header.FileCreationTime = b.clock.read().In(eastern).Format("060102"), b.clock.read().In(eastern).Format("1504")
	f.Header.FileIDModifier = modifiers[b.files%36 : b.files%36+1]
	for i, a := range answers {
		h := nacha.NewBatchHeader()
		h.ServiceClassCode, h.CompanyName, h.CompanyIdentification = nacha.MixedDebitsAndCredits, "Chirp", "1123456789"
		h.StandardEntryClassCode, h.CompanyEntryDescription = a.sec, "PAYMENT"
		h.EffectiveEntryDate, h.ODFIIdentification, h.BatchNumber = b.clock.read().Format("060102"), rdfi[:8], i+1
		batch, err := nacha.NewBatch(h)
		require.NoError(b.t, err)
		batch.AddEntry(a.detail)
		require.NoError(b.t, batch.Create())
		f.AddBatch(batch)
	}
	require.NoError(b.t, f.Create())
	var out bytes.Buffer
	require.NoError(b.t, nacha.NewWriter(&out).Write(f))
	return out.Bytes()
}

// world is a provider with its bank.
type world struct {
	t     *testing.T
	clock *testClock
	state *memory
	bank  *bank
	p     *Provider
	cfg   Config
	keys  Keys
	next  int // account numbers
}

var secretKey = []byte("0123456789abcdef0123456789abcdef")

func aead(t *testing.T, key []byte) cipher.AEAD {
	t.Helper()
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(t, err)
	return gcm
}

func newWorld(t *testing.T, configure ...func(*Config)) *world {
	t.Helper()
	return newWorldIn(t, t.TempDir(), configure...)
}

func newWorldIn(t *testing.T, dir string, configure ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, clock: &testClock{now: monday}, state: newMemory(), next: 100_200_300}
	w.cfg = Config{
		Company: Company{Name: "Chirp", ID: "1123456789"}, ODFI: odfi,
		Destination: Party{odfi, "Our Bank"}, Origin: Party{"1123456789", "Chirp"},
		Outbox: filepath.Join(dir, "outbox"), Inbox: filepath.Join(dir, "inbox"), Clock: w.clock.read, Verification: ByHost,
	}
	for _, c := range configure {
		c(&w.cfg)
	}
	w.keys = Keys{Current: "k1", ByID: map[string]cipher.AEAD{"k1": aead(t, secretKey)}}
	w.bank = &bank{t: t, outbox: w.cfg.Outbox, inbox: w.cfg.Inbox, clock: w.clock, returns: map[string]string{}, seen: map[string]bool{}}
	w.p = w.open()
	return w
}

func (w *world) open() *Provider {
	w.t.Helper()
	p, err := New(w.state, w.keys, w.cfg)
	require.NoError(w.t, err)
	p.folders.disk = quickDisk{}
	return p
}

// quickDisk is the operating system's without waiting for the platter; the crash tests say what is lost without.
type quickDisk struct{ osDisk }

type quickFile struct{ diskFile }

func (quickDisk) SyncDir(string) error { return nil }

func (d quickDisk) Create(path string) (diskFile, error) {
	f, err := d.osDisk.Create(path)
	return quickFile{f}, err
}

func (quickFile) Sync() error { return nil }

func (w *world) work() {
	w.t.Helper()
	require.NoError(w.t, w.p.Work(w.t.Context()))
}

// day lets the bank take what there is and answer, and the provider notice.
func (w *world) day() {
	w.t.Helper()
	w.work()
	w.bank.collect(w.p)
	w.bank.act()
	w.work()
}

func (w *world) at(t time.Time) {
	w.t.Helper()
	w.clock.set(t)
	w.day()
}

func (w *world) account() BankAccount {
	w.next++
	return BankAccount{Holder: "Älice Ørsted", Routing: rdfi, Number: fmt.Sprint(w.next)}
}

// added keeps a new account and returns its token and number.
func (w *world) added(change ...func(*BankAccount)) (token, number string) {
	w.t.Helper()
	a := w.account()
	for _, c := range change {
		c(&a)
	}
	i, err := w.p.AddAccount(w.t.Context(), a)
	require.NoError(w.t, err)
	return i.Token, a.Number
}

func (w *world) submit(op providers.Operation) providers.Report {
	w.t.Helper()
	r, err := w.p.Submit(w.t.Context(), op)
	require.NoError(w.t, err)
	require.NoError(w.t, r.Validate())
	return r
}

func (w *world) lookup(key string) providers.Report {
	w.t.Helper()
	r, err := w.p.Lookup(w.t.Context(), providers.Query{Key: key})
	require.NoError(w.t, err)
	require.NoError(w.t, r.Validate())
	return r
}

// linked links a new account and waits until it is verified.
func (w *world) linked(change ...func(*BankAccount)) (token, number string) {
	w.t.Helper()
	token, number = w.added(change...)
	op := linkOf(token)
	w.submit(op)
	for w.lookup(op.Key).State != providers.Succeeded {
		require.True(w.t, w.advance(), "the link never succeeded")
	}
	return token, number
}

func linkOf(token string) providers.Operation {
	return providers.Operation{Key: uuid.NewString(), Kind: providers.Link, Method: providers.Bank, Instrument: token, Member: "alice"}
}

func (w *world) payment(kind providers.Kind, token string, cents int64) providers.Operation {
	return providers.Operation{
		Key: uuid.NewString(), Kind: kind, Method: providers.Bank, Instrument: token, Member: "alice",
		Amount: currency.MustNew(cents, currency.USD), FirstSent: w.clock.read(),
	}
}

// advance moves the clock to the next moment at which something happens.
func (w *world) advance() bool {
	w.t.Helper()
	w.state.arrive()
	w.day()
	ctx := w.t.Context()
	var index work
	_, err := providers.LoadState(ctx, w.p.state, workKey, &index)
	require.NoError(w.t, err)
	var moments []time.Time
	if slots, _, err := w.p.waiting(ctx, index.Scan, 1); len(slots) > 0 {
		require.NoError(w.t, err)
		for d := 0; len(moments) == 0; d++ {
			for _, c := range w.p.config.CutOffs {
				day := dateOf(w.clock.read()).AddDate(0, 0, d)
				if when := at(day, c.Hour, c.Minute); BankingDay(day) && when.After(w.clock.read()) {
					moments = append(moments, when)
				}
			}
		}
	}
	for _, n := range index.Open {
		var f file
		_, err := providers.LoadState(ctx, w.p.state, fileKey(n), &f)
		require.NoError(w.t, err)
		for _, b := range f.Batches {
			switch {
			case f.Sent != nil && b.Settled == nil:
				moments = append(moments, settlement(b.Effective, b.SameDay, *f.Sent))
			case b.Settled != nil && !b.Final:
				moments = append(moments, w.p.finalAt(b))
			}
		}
	}
	for _, d := range w.bank.due {
		moments = append(moments, d.at)
	}
	if len(moments) == 0 {
		w.clock.set(w.clock.read().Add(w.p.Describe().VisibleAfter))
		w.day()
		return false
	}
	next := moments[0]
	for _, m := range moments {
		if m.Before(next) {
			next = m
		}
	}
	w.at(next)
	w.confirmAll()
	return true
}

// confirmAll is the members telling the micro-deposits that they see.
func (w *world) confirmAll() {
	w.t.Helper()
	if w.cfg.Verification != MicroDeposits {
		return
	}
	byIdent := map[string][]int64{}
	for _, e := range w.bank.entries {
		if e.detail.TransactionCode%10 == 2 {
			id := strings.TrimSpace(e.detail.IdentificationNumber)
			byIdent[id] = append(byIdent[id], int64(e.detail.Amount))
		}
	}
	for key := range w.state.values {
		key, ok := strings.CutPrefix(key, "op/")
		if !ok {
			continue
		}
		r, err := w.p.Lookup(w.t.Context(), providers.Query{Key: key})
		if err == nil && r.State == providers.ActionRequired {
			amounts := byIdent[ident(key)]
			require.Len(w.t, amounts, 2)
			require.NoError(w.t, w.p.ConfirmMicroDeposits(w.t.Context(), key, amounts[1], amounts[0]))
		}
	}
}

// queued counts a key's entries that the bank does not have yet.
func (w *world) queued(key string) (n int) {
	w.t.Helper()
	for number := int64(0); ; number++ {
		var pg page
		version, err := providers.LoadState(w.t.Context(), w.p.state, pageKey(number), &pg)
		require.NoError(w.t, err)
		if version == 0 {
			return n
		}
		for i, it := range pg.Items {
			if it.Key == key && !it.None && it.Canceled == "" && !w.bank.has(w.p.trace(number*pageSize+int64(i))) {
				n++
			}
		}
	}
}

func (b *bank) has(trace string) bool {
	for _, e := range b.entries {
		if e.detail.TraceNumber == trace {
			return true
		}
	}
	return false
}
