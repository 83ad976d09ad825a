package app

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
)

// Tally counts what became of the lines.
type Tally struct {
	Lines    int
	Repeated int // a request id came again with the same request, and was answered as before
	Accepted map[string]map[string]int
	Assets   []string // columns of Accepted, in the order in which they first came
	Refused  map[string]*Reason
	Unread   map[string]*Reason

	byMember map[string]map[string]int // accepted or repeated, by asset
}

// Reason is why lines were refused, and which.
type Reason struct {
	Why   string
	Count int
	First []int // numbers of the first lines
}

const firstLines = 6

// NewTally makes an empty tally.
func NewTally() *Tally {
	return &Tally{
		Accepted: map[string]map[string]int{}, Refused: map[string]*Reason{}, Unread: map[string]*Reason{},
		byMember: map[string]map[string]int{},
	}
}

// Count counts a line that the host has handled. A payment that failed at once, as that of a declined card, is refused too.
func (t *Tally) Count(l Line, p payments.Payment, err error) {
	t.Lines++
	switch {
	case err != nil:
		count(t.Refused, why(err), l.Number)
	case p.Replayed:
		t.Repeated++
		add(t.byMember, l.Member, l.Asset) // a day that is played again has its members too
	case p.State == payments.Failed:
		count(t.Refused, "by the provider: "+words(p.Reason.Code), l.Number)
	default:
		if l.Asset != "" && !slices.Contains(t.Assets, l.Asset) {
			t.Assets = append(t.Assets, l.Asset)
		}
		add(t.Accepted, l.Verb, l.Asset)
		add(t.byMember, l.Member, l.Asset)
	}
}

// CountUnread counts a line that could not be read.
func (t *Tally) CountUnread(number int, reason string) {
	t.Lines++
	kind, _, _ := strings.Cut(reason, ":")
	count(t.Unread, kind, number)
}

func count(reasons map[string]*Reason, why string, number int) {
	r := reasons[why]
	if r == nil {
		r = &Reason{Why: why}
		reasons[why] = r
	}
	r.Count++
	if len(r.First) < firstLines {
		r.First = append(r.First, number)
	}
}

func add(counts map[string]map[string]int, row, column string) {
	if counts[row] == nil {
		counts[row] = map[string]int{}
	}
	counts[row][column]++
}

// why names the reason of a refusal so that equal reasons are counted together. The codes are kosh's: a real host would
// show the member a text of its own for each.
func why(err error) string {
	if e, ok := errors.AsType[*currency.Error](err); ok {
		switch {
		case errors.Is(e, currency.ErrSyntax):
			return "amount is not a number"
		case errors.Is(e, currency.ErrUnknownAsset), errors.Is(e, currency.ErrAssetDisabled):
			return "unknown asset" // one of these says that kosh knows of it all the same
		}
		return e.Err.Error()
	}
	r, ok := errors.AsType[*payments.Refusal](err)
	switch {
	case !ok:
		return err.Error()
	case r.Code == ledger.ErrInvalid:
		return "invalid " + r.Field
	}
	return words(string(r.Code))
}

func words(code string) string { return strings.ReplaceAll(code, "_", " ") }

// sorted returns the reasons, the most frequent first.
func sorted(reasons map[string]*Reason) []*Reason {
	list := make([]*Reason, 0, len(reasons))
	for _, r := range reasons {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b *Reason) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Why, b.Why))
	})
	return list
}

// lines writes the numbers of the first lines.
func (r *Reason) lines() string {
	numbers := make([]string, len(r.First))
	for i, n := range r.First {
		numbers[i] = fmt.Sprint(n)
	}
	text := strings.Join(numbers, ", ")
	if r.Count > len(r.First) {
		text += " …"
	}
	return text
}

func sum(reasons map[string]*Reason) (n int) {
	for _, r := range reasons {
		n += r.Count
	}
	return n
}

// Busiest is the member who did something in the most assets, and of those the one who did most.
func (t *Tally) Busiest() string {
	best, bestScore := "", [2]int{}
	for member, assets := range t.byMember {
		score := [2]int{len(assets), 0}
		for _, n := range assets {
			score[1] += n
		}
		order := cmp.Or(cmp.Compare(score[0], bestScore[0]), cmp.Compare(score[1], bestScore[1]), cmp.Compare(best, member))
		if best == "" || order > 0 {
			best, bestScore = member, score
		}
	}
	return best
}
