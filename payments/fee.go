package payments

import (
	"slices"
	"strconv"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// This file is about what the network charges for a withdrawal. The provider's fees are posted as they are, F → C in the asset
// that they are charged in, whatever became of the withdrawal. What the member bears of them follows from how the withdrawal
// stands, and is brought in line with it after every report, so the order of reports does not matter.

// Bearer is who bears what a provider charges.
type Bearer string

// The bearers.
const (
	// PlatformBears: it is an expense of the platform, in the asset that the network charges in.
	PlatformBears Bearer = ""
	// MemberBears: the member bears it, when it is in the asset that is withdrawn; gas in another asset stays the platform's. The
	// member has to have seen the price: a withdrawal by a provider that quotes needs a Quote. Amount and the quoted fee are held;
	// when the money has moved, Amount and the real fee are taken, and the rest is given back. What goes beyond the quote is the
	// platform's, and so is all of it when nothing was paid out.
	MemberBears Bearer = "member"
)

// held is what a withdrawal or refund holds of the wallet.
func (r *record) held() (currency.Amount, error) {
	if !r.MemberBears || planted("hold-without-fee") {
		return r.Amount, nil
	}
	return r.Amount.Add(r.MaxFee)
}

// networkFee is what the provider charged so far, in the asset in which it charged first; invalid if it did not.
func (r *record) networkFee() (sum currency.Amount, err error) {
	for _, e := range r.Effects {
		if e.Kind != providers.Fee || sum.IsValid() && e.Amount.Asset() != sum.Asset() {
			continue
		}
		if !sum.IsValid() {
			sum = currency.Zero(e.Amount.Asset())
		}
		if sum, err = sum.Sub(e.Amount); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// feeHeard tells whether it is known what the provider charged.
func (r *record) feeHeard() bool {
	return slices.ContainsFunc(r.Effects, func(e effect) bool { return e.Kind == providers.Fee })
}

// paidWhole tells whether all that was asked for has moved, even if it came back since.
func (r *record) paidWhole() (bool, error) {
	rest := r.Amount
	for _, e := range r.Effects {
		if e.Kind != providers.Moved || e.Amount.Asset() != rest.Asset() {
			continue
		}
		var err error
		if rest, err = rest.Add(e.Amount); err != nil { // it is negative
			return false, err
		}
	}
	return rest.Sign() <= 0, nil
}

// feeDue is what the member should have borne by now.
func (r *record) feeDue() (currency.Amount, error) {
	nothing := currency.Zero(r.MaxFee.Asset())
	if _, any, err := r.moved(); err != nil || !any {
		return nothing, err
	}
	charged, err := r.networkFee()
	if err != nil || !charged.IsValid() || charged.Asset() != nothing.Asset() || charged.Sign() <= 0 {
		return nothing, err
	}
	return least(charged, r.MaxFee), nil
}

// feeIDs are the ids of the postings that one change of what the member bears may need.
func (n *news) feeIDs(turn int) []ledger.ID {
	ids := make([]ledger.ID, 2)
	for i := range ids {
		ids[i] = derivedID("fee", n.provider, n.id+n.salt, strconv.Itoa(turn), strconv.Itoa(i))
	}
	return ids
}

// settleFee posts hold → F, then U, R → F; or F → R, U, X of what need not be borne any more.
func (j *journal) settleFee() error {
	if !j.rec.MemberBears || planted("fee-unborne") {
		return nil
	}
	due, err := j.rec.feeDue()
	if err != nil {
		return err
	}
	borne := j.rec.FeeBorne
	if !borne.IsValid() {
		borne = currency.Zero(due.Asset())
	}
	more, err := due.Sub(borne)
	if err != nil || more.Sign() == 0 {
		return err
	}
	j.ids = j.feeIDs(j.rec.FeeTurns)
	j.rec.FeeBorne, j.rec.FeeTurns = due, j.rec.FeeTurns+1
	for i := range j.rec.Effects {
		if e := &j.rec.Effects[i]; e.Kind == providers.Fee {
			j.effect = e
		}
	}
	j.chart.open(j.accounts(j.rec.Member, due.Asset())...)
	fees := FeesAccount(j.provider, due.AssetID())
	if more.Sign() < 0 {
		back, err := more.Neg()
		if err != nil {
			return err
		}
		_, err = j.creditMember(fees, back, back)
		return err
	}
	captured, _, err := j.capture(mustID(j.rec.ID), more, fees)
	if err != nil {
		return err
	}
	rest, err := more.Sub(captured)
	if err != nil {
		return err
	}
	return j.charge(rest, fees)
}
