package providers_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// invalid asserts that err is an *Invalid about a field.
func invalid(t *testing.T, err error, what, field, name string) {
	t.Helper()
	require.ErrorIs(t, err, providers.ErrInvalid, name)
	detail, ok := errors.AsType[*providers.Invalid](err)
	require.True(t, ok, name)
	assert.Equal(t, what, detail.What, name)
	assert.Equal(t, field, detail.Field, name)
	assert.Contains(t, err.Error(), "providers: invalid "+what+": "+field, name)
}

func TestDescriptorValidate(t *testing.T) {
	require.NoError(t, descriptor().Validate())
	for name, tt := range map[string]struct {
		field  string
		change func(d *providers.Descriptor)
	}{
		"empty name":   {"Name", func(d *providers.Descriptor) { d.Name = "" }},
		"capitals":     {"Name", func(d *providers.Descriptor) { d.Name = "Acme" }},
		"digit first":  {"Name", func(d *providers.Descriptor) { d.Name = "1acme" }},
		"slash":        {"Name", func(d *providers.Descriptor) { d.Name = "a/b" }},
		"long name":    {"Name", func(d *providers.Descriptor) { d.Name = strings.Repeat("a", 41) }},
		"retention":    {"KeyRetention", func(d *providers.Descriptor) { d.KeyRetention = -1 }},
		"visible":      {"VisibleAfter", func(d *providers.Descriptor) { d.VisibleAfter = -1 }},
		"kind":         {"Offers[0].Kind", func(d *providers.Descriptor) { d.Offers[0].Kind = "dance" }},
		"method":       {"Offers[0].Method", func(d *providers.Descriptor) { d.Offers[0].Method = "" }},
		"link's asset": {"Offers[0].Asset", func(d *providers.Descriptor) { d.Offers[0].Asset = "USD" }},
		"asset":        {"Offers[2].Asset", func(d *providers.Descriptor) { d.Offers[2].Asset = "dollar" }},
		"exponent":     {"Offers[2].Exponent", func(d *providers.Descriptor) { d.Offers[2].Exponent = 31 }},
		"min's asset":  {"Offers[2].Min", func(d *providers.Descriptor) { d.Offers[2].Min = currency.MustNew(1, currency.EUR) }},
		"step":         {"Offers[2].Step", func(d *providers.Descriptor) { d.Offers[2].Step = usd(0) }},
		"max":          {"Offers[2].Max", func(d *providers.Descriptor) { d.Offers[2].Max = usd(49) }},
		"twice":        {"Offers[1]", func(d *providers.Descriptor) { d.Offers[1] = d.Offers[0] }},
	} {
		d := descriptor()
		tt.change(&d)
		invalid(t, d.Validate(), "descriptor", tt.field, name)
	}
}

const uuid1 = "0190c1f2-7f3e-7cc3-98c4-dc0c0c07398f"

func TestOperationValidate(t *testing.T) {
	good := providers.Operation{
		Key: uuid1, Kind: providers.Deposit, Method: providers.Card, Amount: usd(100), Asset: "USD",
		Instrument: "pm_1", Member: "alice", Description: "Top-up for post 1790000000000000000",
	}
	require.NoError(t, good.Validate())
	for _, op := range []providers.Operation{
		{Key: uuid1, Kind: providers.Link, Method: providers.Card, Instrument: "tok_1"},
		{Key: uuid1, Kind: providers.DepositAddress, Method: providers.Chain, Asset: "USD"},
		{Key: uuid1, Kind: providers.Cancel, Method: providers.Card, Target: uuid1},
		{Key: uuid1, Kind: providers.Refund, Method: providers.Card, TargetReference: "ch_1", Amount: usd(1)},
		{Key: uuid1, Kind: providers.Withdrawal, Method: providers.Chain, Amount: usd(1), Instrument: "0x4111111111111111aa", MaxFee: usd(1), TravelRule: "ivms/7"},
	} {
		require.NoError(t, op.Validate(), op.Kind)
	}
	for name, tt := range map[string]struct {
		field  string
		change func(op *providers.Operation)
	}{
		"no key":           {"Key", func(op *providers.Operation) { op.Key = "" }},
		"key of ours":      {"Key", func(op *providers.Operation) { op.Key = "deposit-1" }},
		"urn":              {"Key", func(op *providers.Operation) { op.Key = "urn:uuid:" + uuid1 }},
		"kind":             {"Kind", func(op *providers.Operation) { op.Kind = "dance" }},
		"method":           {"Method", func(op *providers.Operation) { op.Method = "Card" }},
		"no amount":        {"Amount", func(op *providers.Operation) { op.Amount = currency.Amount{} }},
		"negative":         {"Amount", func(op *providers.Operation) { op.Amount = usd(-1) }},
		"other asset":      {"Asset", func(op *providers.Operation) { op.Asset = "EUR" }},
		"amount of a link": {"Amount", func(op *providers.Operation) { op.Kind = providers.Link }},
		"asset of a link": {"Asset", func(op *providers.Operation) {
			op.Kind, op.Amount = providers.Link, currency.Amount{}
		}},
		"address of nothing": {"Asset", func(op *providers.Operation) {
			op.Kind, op.Amount, op.Asset = providers.DepositAddress, currency.Amount{}, ""
		}},
		"nowhere to pay":    {"Instrument", func(op *providers.Operation) { op.Kind, op.Instrument = providers.Withdrawal, "" }},
		"nothing to refund": {"Target", func(op *providers.Operation) { op.Kind = providers.Refund }},
		"NUL":               {"Member", func(op *providers.Operation) { op.Member = "a\x00" }},
		"bad UTF-8":         {"TargetReference", func(op *providers.Operation) { op.TargetReference = "\xff" }},
		"long":              {"Target", func(op *providers.Operation) { op.Target = strings.Repeat("a", 513) }},
		"long text":         {"Description", func(op *providers.Operation) { op.Description = strings.Repeat("a", 1001) }},
		"card as token":     {"Instrument", func(op *providers.Operation) { op.Instrument = "4242 4242 4242 4242" }},
		"card in a text":    {"Description", func(op *providers.Operation) { op.Description = "my card 4242424242424242, exp 12/34" }},
		"fee of a deposit":  {"MaxFee", func(op *providers.Operation) { op.MaxFee = usd(1) }},
		"fee of nothing": {"MaxFee", func(op *providers.Operation) {
			op.Kind, op.MaxFee = providers.Withdrawal, usd(0)
		}},
		"travel rule": {"TravelRule", func(op *providers.Operation) { op.TravelRule = "\x01" }},
		"attempt":     {"Attempt", func(op *providers.Operation) { op.Attempt = -1 }},
	} {
		op := good
		tt.change(&op)
		err := op.Validate()
		invalid(t, err, "operation", tt.field, name)
		assert.NotContains(t, err.Error(), "4242", "what was typed is not repeated")
	}
}

// A number with a card's prefix, length and check digit is one in a few hundred of the 19-digit ids that posts and members
// have: in what is an id by its type it stays, in what a person writes it does not.
func TestCardNumbersAreLookedForInTextsOnly(t *testing.T) {
	const like = "4000000000000000006"
	require.True(t, providers.LooksLikeCardNumber(like), "or the test shows nothing")
	op := providers.Operation{
		Key: uuid1, Kind: providers.Refund, Method: providers.Card, Amount: usd(100), Member: like, Target: like, TargetReference: like,
	}
	require.NoError(t, op.Validate())
	op.Description = "refund of post 1790000000000000009"
	require.NoError(t, op.Validate())
	for _, text := range []string{like, "card " + like, "4242 4242 4242 4242", "5555-5555-5555-4444 12/34", "３７８２８２２４６３１０００５"} {
		op.Description = text
		invalid(t, op.Validate(), "operation", "Description", text)
	}
	r := providers.Report{
		Key: uuid1, Reference: like, Kind: providers.Deposit, State: providers.Succeeded, Member: like, Address: like,
		Effects: []providers.Effect{{ID: like, Kind: providers.Moved, Amount: usd(100)}},
	}
	require.NoError(t, r.Validate())
}

func TestReportValidate(t *testing.T) {
	large := providers.Quarantined{
		ID: "eip155:1/tx/0", Asset: "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7", Code: "too_large",
		Quantity: "115792089237316195423570985008687907853269984665640564039457584007913129639935",
	}
	in := func() providers.Report {
		return providers.Report{
			Key: uuid1, Reference: "ch_1", Kind: providers.Deposit, State: providers.Succeeded,
			Effects: []providers.Effect{
				{ID: "1", Kind: providers.Moved, Amount: usd(100)},
				{ID: "2", Kind: providers.Fee, Amount: usd(-3)},
				{ID: "3", Kind: providers.Reversed, Amount: usd(-60), Reverses: "1"},
				{ID: "4", Kind: providers.Reversed, Amount: usd(-40), Reverses: "1"},
				{ID: "5", Kind: "bonus", Amount: usd(1)},
				{ID: "6", Kind: providers.Reversed, Amount: usd(-1), Reverses: "of an earlier report"},
			},
		}
	}
	require.NoError(t, in().Validate())
	finally := in()
	finally.State = providers.Failed
	require.NoError(t, finally.Validate(), "all that moved was taken back")
	for _, r := range []providers.Report{
		{Reference: "tx:0", Kind: providers.Deposit, State: providers.Pending},
		{Key: uuid1, Kind: providers.Withdrawal, State: providers.Failed},
		{Key: uuid1, Kind: providers.Link, State: providers.Succeeded, Instrument: &providers.Instrument{
			Token: "pm_1", Method: providers.Card, Label: "Visa •• 4242", Last4: "4242", Expiry: "2034-12",
		}},
		{Key: uuid1, Kind: providers.DepositAddress, State: providers.Succeeded, Address: "0xabc"},
		{Reference: "po_1", Kind: providers.Settlement, State: providers.Succeeded, Covers: []string{"ch_1"}, Effects: []providers.Effect{
			{ID: "1", Kind: providers.Converted, Amount: usd(-100)},
			{ID: "2", Kind: providers.Converted, Amount: currency.MustNew(90, currency.EUR)},
			{ID: "3", Kind: providers.Settled, Amount: currency.MustNew(-90, currency.EUR)},
		}},
		{Key: uuid1, Kind: providers.Deposit, State: providers.Succeeded, Final: true, Effects: []providers.Effect{
			{ID: "1", Kind: providers.Moved, Amount: usd(100)},
			{ID: "2", Kind: providers.Disputed, Amount: usd(-100), Reverses: "1", Dispute: "dp_1"},
			{ID: "3", Kind: providers.Reinstated, Amount: usd(100), Reverses: "2", Dispute: "dp_1"},
		}, Disputes: []providers.Dispute{{ID: "dp_1", State: providers.DisputeWon, Amount: usd(100)}, {ID: "dp_2", State: providers.DisputeInquiry}}},
		{Reference: "tx:1", Kind: providers.Deposit, State: providers.Succeeded, Quarantined: []providers.Quarantined{large}},
	} {
		require.NoError(t, r.Validate())
	}
	disputed := func(k providers.EffectKind, a currency.Amount) func(*providers.Report) {
		return func(r *providers.Report) { r.Effects[4].Kind, r.Effects[4].Amount, r.Effects[4].Dispute = k, a, "dp" }
	}
	disputes := func(all ...providers.Dispute) func(*providers.Report) {
		return func(r *providers.Report) { r.Disputes = all }
	}
	quarantined := func(all ...providers.Quarantined) func(*providers.Report) {
		return func(r *providers.Report) { r.Quarantined = all }
	}
	linked := func(i *providers.Instrument) func(*providers.Report) {
		return func(r *providers.Report) { r.Kind, r.Effects, r.Instrument = providers.Link, nil, i }
	}
	for name, tt := range map[string]struct {
		field  string
		change func(r *providers.Report)
	}{
		"nameless":         {"Reference", func(r *providers.Report) { r.Key, r.Reference = "", "" }},
		"kind":             {"Kind", func(r *providers.Report) { r.Kind = "dance" }},
		"state":            {"State", func(r *providers.Report) { r.State = "done" }},
		"open and final":   {"Final", func(r *providers.Report) { r.State, r.Effects, r.Final = providers.Pending, nil, true }},
		"empty state":      {"State", func(r *providers.Report) { r.State = "" }},
		"NUL":              {"Reference", func(r *providers.Report) { r.Reference = "a\x00b" }},
		"long reason":      {"Reason.Public", func(r *providers.Report) { r.Reason.Public = strings.Repeat("a", 1001) }},
		"bad code":         {"Reason.Code", func(r *providers.Report) { r.Reason.Code = "\xff" }},
		"no id":            {"Effects[1].ID", func(r *providers.Report) { r.Effects[1].ID = "" }},
		"same id":          {"Effects[1].ID", func(r *providers.Report) { r.Effects[1].ID = "1" }},
		"bad id":           {"Effects[1].ID", func(r *providers.Report) { r.Effects[1].ID = "\n" }},
		"no effect kind":   {"Effects[4].Kind", func(r *providers.Report) { r.Effects[4].Kind = "" }},
		"no amount":        {"Effects[0].Amount", func(r *providers.Report) { r.Effects[0].Amount = currency.Amount{} }},
		"zero":             {"Effects[0].Amount", func(r *providers.Report) { r.Effects[0].Amount = usd(0) }},
		"deposit out":      {"Effects[0].Amount", func(r *providers.Report) { r.Effects[0].Amount = usd(-100) }},
		"withdrawal in":    {"Effects[0].Amount", func(r *providers.Report) { r.Kind = providers.Withdrawal }},
		"refund in":        {"Effects[0].Amount", func(r *providers.Report) { r.Kind = providers.Refund }},
		"reverses nothing": {"Effects[2].Reverses", func(r *providers.Report) { r.Effects[2].Reverses = "" }},
		"bad reverses":     {"Effects[2].Reverses", func(r *providers.Report) { r.Effects[2].Reverses = "\x00" }},
		"reverses a fee":   {"Effects[2].Reverses", func(r *providers.Report) { r.Effects[2].Reverses = "2" }},
		"same direction":   {"Effects[2].Reverses", func(r *providers.Report) { r.Effects[2].Amount = usd(1) }},
		"more than moved":  {"Effects[3].Amount", func(r *providers.Report) { r.Effects[3].Amount = usd(-41) }},
		"another asset":    {"Effects[3].Amount", func(r *providers.Report) { r.Effects[3].Amount = currency.MustNew(-1, currency.EUR) }},
		"failed but moved": {"Effects[0]", func(r *providers.Report) { r.State, r.Effects = providers.Failed, r.Effects[:3] }},
		"canceled but moved": {"Effects[0]", func(r *providers.Report) {
			r.State, r.Effects = providers.Canceled, r.Effects[:1]
		}},
		"dispute of none":     {"Effects[4].Dispute", func(r *providers.Report) { r.Effects[4].Kind, r.Effects[4].Amount = providers.Disputed, usd(-1) }},
		"dispute pays":        {"Effects[4].Amount", disputed(providers.Disputed, usd(1))},
		"reinstatement takes": {"Effects[4].Amount", disputed(providers.Reinstated, usd(-1))},
		"disputed payout": {"Effects[4].Kind", func(r *providers.Report) {
			disputed(providers.Disputed, usd(-1))(r)
			r.Kind, r.Effects[0].Amount = providers.Withdrawal, usd(-100)
			r.Effects = []providers.Effect{{ID: "a", Kind: "x", Amount: usd(1)}, {ID: "b", Kind: "x", Amount: usd(1)}, {ID: "c", Kind: "x", Amount: usd(1)}, {ID: "d", Kind: "x", Amount: usd(1)}, r.Effects[4]}
		}},
		"dispute without id": {"Disputes[0].ID", disputes(providers.Dispute{State: providers.DisputeOpen})},
		"dispute state":      {"Disputes[0].State", disputes(providers.Dispute{ID: "dp", State: "angry"})},
		"dispute twice":      {"Disputes[1].ID", disputes(providers.Dispute{ID: "dp", State: providers.DisputeOpen}, providers.Dispute{ID: "dp", State: providers.DisputeOpen})},
		"disputes too many":  {"Disputes", disputes(make([]providers.Dispute, 101)...)},
		"negative dispute":   {"Disputes[0].Amount", disputes(providers.Dispute{ID: "dp", State: providers.DisputeOpen, Amount: usd(-1)})},
		"dispute reason":     {"Disputes[0].Reason.Public", disputes(providers.Dispute{ID: "dp", State: providers.DisputeOpen, Reason: providers.Reason{Public: "\x00"}})},
		"disputes of a refund": {"Disputes", func(r *providers.Report) {
			r.Kind, r.Effects, r.Disputes = providers.Refund, nil, make([]providers.Dispute, 1)
		}},
		"deposit covers":      {"Covers", func(r *providers.Report) { r.Covers = []string{"x"} }},
		"covers nothing":      {"Covers[0]", func(r *providers.Report) { r.Kind, r.Effects, r.Covers = providers.Settlement, nil, []string{""} }},
		"nameless settlement": {"Reference", func(r *providers.Report) { r.Kind, r.Effects, r.Reference = providers.Settlement, nil, "" }},
		"quarantine id":       {"Quarantined[0].ID", quarantined(providers.Quarantined{Asset: "x", Quantity: "1", Code: "too_large"})},
		"quarantined twice":   {"Quarantined[1].ID", quarantined(large, large)},
		"quarantined nothing": {"Quarantined[0].Asset", quarantined(providers.Quarantined{ID: "1", Quantity: "1", Code: "too_large"})},
		"quarantined sign":    {"Quarantined[0].Quantity", quarantined(providers.Quarantined{ID: "1", Asset: "x", Quantity: "-1", Code: "too_large"})},
		"quarantined digits":  {"Quarantined[0].Quantity", quarantined(providers.Quarantined{ID: "1", Asset: "x", Quantity: strings.Repeat("1", 79), Code: "too_large"})},
		"quarantine code":     {"Quarantined[0].Code", quarantined(providers.Quarantined{ID: "1", Asset: "x", Quantity: "1"})},
		"quarantined bytes":   {"Quarantined[0].Raw", quarantined(providers.Quarantined{ID: "1", Asset: "x", Quantity: "1", Code: "x", Raw: make([]byte, 4097)})},
		"quarantines":         {"Quarantined", quarantined(make([]providers.Quarantined, 1001)...)},
		"too many":            {"Effects", func(r *providers.Report) { r.Effects = make([]providers.Effect, 1001) }},
		"no instrument":       {"Instrument", linked(nil)},
		"no token":            {"Instrument.Token", linked(&providers.Instrument{Method: providers.Card})},
		"card number":         {"Instrument.Token", linked(&providers.Instrument{Token: "4242424242424242", Method: providers.Card})},
		"card as label": {"Instrument.Label", linked(&providers.Instrument{
			Token: "pm", Method: providers.Card, Label: "Visa 4242424242424242",
		})},
		"label":             {"Instrument.Label", linked(&providers.Instrument{Token: "pm", Method: providers.Card, Label: "\x00"})},
		"instrument method": {"Instrument.Method", linked(&providers.Instrument{Token: "pm"})},
		"last4":             {"Instrument.Last4", linked(&providers.Instrument{Token: "pm", Method: providers.Card, Last4: "54242"})},
		"expiry":            {"Instrument.Expiry", linked(&providers.Instrument{Token: "pm", Method: providers.Card, Expiry: "12/34"})},
		"no address":        {"Action", func(r *providers.Report) { r.Kind, r.Effects = providers.DepositAddress, nil }},
	} {
		r := in()
		tt.change(&r)
		invalid(t, r.Validate(), "report", tt.field, name)
	}
}
