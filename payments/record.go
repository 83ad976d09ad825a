package payments

import "github.com/koshpay/kosh/providers"

// walk visits every field of a payment's body, see body: in the order in which the type has them and by the rules of its
// tags. A test compares.
func (r *record) walk(b *body) {
	text(b, `{"id":`, &r.ID)
	text(b, `,"kind":`, &r.Kind)
	optionalText(b, `,"member":`, &r.Member)
	optionalText(b, `,"counterparty":`, &r.Counterparty)
	b.optionalAmount(`,"amount":`, &r.Amount)
	b.optionalAmount(`,"fee":`, &r.Fee)
	b.optionalAmount(`,"bought":`, &r.Bought)
	b.rate(`,"rate":`, &r.Rate)
	optionalText(b, `,"asset":`, &r.Asset)
	optionalText(b, `,"provider":`, &r.Provider)
	optionalText(b, `,"method":`, &r.Method)
	b.flag(`,"provisional":`, &r.Provisional)
	b.flag(`,"stray":`, &r.Stray)
	optionalText(b, `,"instrument":`, &r.Instrument)
	optionalText(b, `,"token":`, &r.Token)
	optionalText(b, `,"of":`, &r.Of)
	optionalText(b, `,"of_reference":`, &r.OfReference)
	optionalText(b, `,"reference":`, &r.Reference)
	optionalText(b, `,"description":`, &r.Description)
	optionalText(b, `,"travel_rule":`, &r.TravelRule)
	optionalText(b, `,"quote":`, &r.Quote)
	b.optionalAmount(`,"max_fee":`, &r.MaxFee)
	b.moment(`,"fee_until":`, &r.FeeUntil)
	b.flag(`,"member_bears":`, &r.MemberBears)
	b.optionalAmount(`,"fee_borne":`, &r.FeeBorne)
	b.count(`,"fee_turns":`, &r.FeeTurns)
	b.id(`,"transaction":`, &r.Transaction)
	b.flag(`,"undone":`, &r.Undone)
	r.walkProgress(b)
	r.walkReports(b)
	b.token("}")
}

// walkProgress visits what was tried.
func (r *record) walkProgress(b *body) {
	list(b, `,"routes":`, &r.Routes, texts)
	list(b, `,"tried":`, &r.Tried, texts)
	b.count(`,"attempts":`, &r.Attempts)
	b.moment(`,"first_sent":`, &r.FirstSent)
	b.flag(`,"in_flight":`, &r.InFlight)
	b.flag(`,"maybe":`, &r.Maybe)
	b.flag(`,"given_up":`, &r.GivenUp)
	b.count(`,"looks":`, &r.Looks)
	b.flag(`,"parked":`, &r.Parked)
	b.flag(`,"review":`, &r.Review)
	optionalText(b, `,"screened":`, &r.Screened)
}

// walkReports visits what the provider said, and what followed.
func (r *record) walkReports(b *body) {
	optionalText(b, `,"provider_reference":`, &r.ProviderReference)
	optionalText(b, `,"reported":`, &r.Reported)
	b.moment(`,"reported_at":`, &r.ReportedAt)
	b.flag(`,"final":`, &r.Final)
	walkReason(b, &r.Reason)
	if b.begins(`,"linked":`, r.Linked == nil) {
		if b.reading {
			r.Linked = new(providers.Instrument)
		}
		walkInstrument(b, r.Linked)
	}
	list(b, `,"effects":`, &r.Effects, (*body).effect)
	optionalText(b, `,"from_suspense":`, &r.FromSuspense)
	b.optionalAmount(`,"returned":`, &r.Returned)
	b.amounts(`,"refunds":`, &r.Refunds)
	list(b, `,"covers":`, &r.Covers, texts)
	list(b, `,"disputes":`, &r.Disputes, (*body).dispute)
	if b.begins(`,"hearing":`, r.Hearing == nil) {
		if b.reading {
			r.Hearing = new(hearing)
		}
		text(b, `{"state":`, &r.Hearing.State)
		b.count(`,"effects":`, &r.Hearing.Effects)
		b.token("}")
	}
}

func (b *body) effect(e *effect) {
	text(b, `{"id":`, &e.ID)
	text(b, `,"kind":`, &e.Kind)
	b.amount(`,"amount":`, &e.Amount)
	optionalText(b, `,"reverses":`, &e.Reverses)
	b.moment(`,"at":`, &e.At)
	b.optionalAmount(`,"suspense":`, &e.Suspense)
	b.id(`,"hold":`, &e.Hold)
	b.flag(`,"freed":`, &e.Freed)
	b.count(`,"holds":`, &e.Holds)
	optionalText(b, `,"dispute":`, &e.Dispute)
	b.flag(`,"returning":`, &e.Returning)
	b.token("}")
}

func (b *body) dispute(d *dispute) {
	text(b, `{"id":`, &d.ID)
	optionalText(b, `,"state":`, &d.State)
	b.optionalAmount(`,"amount":`, &d.Amount)
	walkReason(b, &d.Reason)
	b.moment(`,"evidence_by":`, &d.EvidenceBy)
	b.moment(`,"at":`, &d.At)
	b.optionalAmount(`,"charged":`, &d.Charged)
	b.count(`,"turns":`, &d.Turns)
	b.token("}")
}

func walkReason(b *body, r *providers.Reason) {
	if !b.begins(`,"reason":`, *r == providers.Reason{}) {
		return
	}
	text(b, `{"Code":`, &r.Code)
	text(b, `,"Public":`, &r.Public)
	b.token("}")
}

func walkInstrument(b *body, i *providers.Instrument) {
	text(b, `{"Token":`, &i.Token)
	text(b, `,"Method":`, &i.Method)
	text(b, `,"Label":`, &i.Label)
	text(b, `,"Last4":`, &i.Last4)
	text(b, `,"Expiry":`, &i.Expiry)
	b.token("}")
}
