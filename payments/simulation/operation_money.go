package simulation

import (
	"slices"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// This file is what members and the platform ask for.

// make asks for something new and remembers it for replays.
func (w *world) make(p *process, r *request) {
	w.requests = append(w.requests, r)
	w.ask(p, r, false)
	if p.dead && w.dice.chance(500) { // the member tries again, on whichever process answers
		w.ask(w.alive(p), r, false)
	}
}

// alive is another process.
func (w *world) alive(p *process) *process {
	at := slices.Index(w.workers, p)
	return w.workers[(at+1)%len(w.workers)]
}

func (w *world) link(p *process) {
	member := pick(w.dice, w.members...)
	method := pick(w.dice, providers.Card, providers.Card, providers.Bank, providers.Bank, providers.Chain)
	token := pick(w.dice, tokens[method]...)
	actor := payments.Member(member)
	key := w.keyOf(actor)
	w.make(p, &request{
		what: key + " link " + token + " for " + member, actor: actor,
		call: func(s *payments.Service, altered bool) (payments.Payment, error) {
			r := payments.LinkRequest{Key: key, Actor: actor, Member: member, Method: method, Token: token}
			if altered {
				r.Token += "x"
			}
			i, err := s.Link(w.asking, r)
			return w.linked(i), err
		},
	})
}

// linked is an instrument as the payment that made it.
func (w *world) linked(i payments.Instrument) payments.Payment {
	p := payments.Payment{ID: i.ID, Kind: payments.Link, Member: i.Member, State: i.State, Provider: i.Provider, Replayed: i.Replayed}
	return p
}

// deposit takes money from a linked card or bank account.
func (w *world) deposit(p *process) {
	member := pick(w.dice, w.members...)
	all := w.instruments(member)
	if len(all) == 0 {
		w.link(p)
		return
	}
	amount := w.amount(w.fiat())
	if amount.Asset() == coin || amount.Asset() == ether {
		amount = w.amount(currency.USD)
	}
	w.depositFrom(p, member, pick(w.dice, all...).ID, amount)
}

func (w *world) depositFrom(p *process, member, instrument string, amount currency.Amount) {
	actor := payments.Member(member)
	key := w.keyOf(actor)
	w.make(p, &request{
		what: key + " deposit " + amount.String() + " by " + member + " from " + instrument, actor: actor,
		kind: payments.Deposit, member: member, amount: amount,
		call: func(s *payments.Service, altered bool) (payments.Payment, error) {
			r := payments.DepositRequest{Key: key, Actor: actor, Member: member, Amount: amount, Instrument: instrument}
			if altered {
				r.Amount = oneMore(amount)
			}
			return s.Deposit(w.asking, r)
		},
	})
}

// address asks for an address to send money to.
func (w *world) address(p *process) {
	a := ether
	if w.dice.chance(300) {
		a = w.fiat()
	}
	w.depositFrom(p, pick(w.dice, w.members...), "", w.amount(a))
}

// fiat picks a fiat asset, rather dollars.
func (w *world) fiat() *currency.Definition {
	if w.dice.chance(500) {
		return currency.USD
	}
	return pick(w.dice, fiat...)
}

func (w *world) send(p *process) { w.transfer(p, payments.Send) }

func (w *world) tip(p *process) { w.transfer(p, payments.Tip) }

func (w *world) transfer(p *process, kind payments.Kind) {
	asset := w.asset()
	from, to := w.richest(asset), pick(w.dice, w.members...)
	if from == to {
		to = w.members[0]
		if from == to {
			to = w.members[1]
		}
	}
	amount := w.part(w.available(from, asset))
	actor := payments.Member(from)
	key := w.keyOf(actor)
	w.make(p, &request{
		what: key + " " + string(kind) + " " + amount.String() + " from " + from + " to " + to, actor: actor,
		kind: kind, member: from, amount: amount,
		call: func(s *payments.Service, altered bool) (payments.Payment, error) {
			r := payments.TransferRequest{Key: key, Actor: actor, From: from, To: to, Amount: amount, Reference: "post-4242424242424242"}
			if altered {
				r.Amount = oneMore(amount)
			}
			if kind == payments.Tip {
				return s.Tip(w.asking, r)
			}
			return s.Send(w.asking, r)
		},
	})
}

// supply issues in-app coins, or burns some of those that the platform has.
func (w *world) supply(p *process) {
	amount := w.amount(coin)
	key := w.nextKey()
	kind := payments.Issue
	if units, _ := amount.Int64(); units%4 == 0 {
		kind = payments.Burn
	}
	w.make(p, &request{
		what: key + " " + string(kind) + " " + amount.String(), actor: payments.Platform(), kind: kind, amount: amount,
		call: func(s *payments.Service, altered bool) (payments.Payment, error) {
			changed := amount
			if altered {
				changed = oneMore(amount)
			}
			if kind == payments.Burn {
				return s.Burn(w.asking, payments.BurnRequest{Key: key, Actor: payments.Platform(), Amount: changed})
			}
			return s.Issue(w.asking, payments.IssueRequest{Key: key, Actor: payments.Platform(), Amount: changed})
		},
	})
}

// withdraw pays out to an instrument, or to an address: a stranger's, an unusual one, or one of our own.
func (w *world) withdraw(p *process) {
	asset, to := w.fiat(), ""
	if w.dice.chance(400) {
		asset = ether
		to = pick(w.dice, "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", sandbox.AddressReverts, sandbox.AddressRefused)
		if own := w.addresses(); len(own) > 0 && w.dice.chance(300) {
			to = pick(w.dice, own...).Instrument
		}
	}
	member := w.richest(asset)
	chain := to != ""
	if to == "" {
		all := w.instruments(member)
		if len(all) == 0 {
			w.link(p)
			return
		}
		to = pick(w.dice, all...).ID
	}
	amount := w.part(w.available(member, asset))
	quote := ""
	if chain {
		quote = w.quote(p, member, amount, to)
	}
	if len(w.quotes) > 0 && w.dice.chance(200) { // once more
		old := pick(w.dice, w.quotes...)
		quote, member, amount, to = old.ID, old.Member, old.Amount, old.To
	}
	actor := payments.Member(member)
	kind := payments.Withdrawal
	if quote != "" {
		kind = "" // more than the amount is held, so a decline has other causes
	}
	key := w.keyOf(actor)
	w.make(p, &request{
		what: key + " withdraw " + amount.String() + " by " + member + " to " + to + " " + quote, actor: actor,
		kind: kind, member: member, amount: amount,
		call: func(s *payments.Service, altered bool) (payments.Payment, error) {
			r := payments.WithdrawRequest{Key: key, Actor: actor, Member: member, Amount: amount, To: to, Quote: quote}
			if altered {
				r.Amount = oneMore(amount)
			}
			return s.Withdraw(w.asking, r)
		},
	})
}

// quote asks what a withdrawal to an address would cost, most of the time.
func (w *world) quote(p *process, member string, amount currency.Amount, to string) string {
	if w.dice.chance(300) {
		return ""
	}
	faults := p.faults
	q, err := p.service.Quote(w.asking, payments.QuoteRequest{Actor: payments.Member(member), Member: member, Amount: amount, To: to})
	w.note("  quote %s: %v%s", q.ID, q.Fee, cause(err))
	if err != nil && ledger.ClassOf(err) == ledger.Unavailable && p.faults == faults && !p.dead && w.asking.Err() == nil {
		w.fail(breach(Answered, "quote: %v", err))
	}
	if err == nil {
		w.quotes = append(w.quotes, q)
	}
	return q.ID
}

// addresses are those that the providers have given out.
func (w *world) addresses() []*intent {
	return w.some(func(p *intent) bool { return p.Kind == payments.Address && p.Instrument != "" })
}

// refund gives a deposit back, whole or in part and perhaps not for the first time, or a send or tip.
func (w *world) refund(p *process) {
	kinds := []payments.Kind{payments.Deposit, payments.Deposit, payments.Deposit, payments.Tip, payments.Send}
	kind := pick(w.dice, kinds...)
	all := w.some(func(p *intent) bool { return p.Kind == kind && p.Member != "" && p.Amount.IsValid() })
	if len(all) == 0 {
		w.deposit(p)
		return
	}
	of := pick(w.dice, all...)
	if quarrels := w.some(func(p *intent) bool { return len(p.Disputes) > 0 }); len(quarrels) > 0 && w.dice.chance(400) {
		kind, of = payments.Deposit, pick(w.dice, quarrels...)
	}
	if failed := w.some(func(p *intent) bool {
		return p.Kind == payments.Refund && p.state == payments.Failed && p.FromSuspense == ""
	}); len(failed) > 0 && w.dice.chance(300) {
		kind, of = payments.Deposit, w.money.intents[pick(w.dice, failed...).Of] // once more
	}
	payer, amount := of.Member, currency.Amount{}
	if kind == payments.Deposit {
		if amount = of.Amount; w.dice.chance(600) {
			amount = w.part(amount)
		}
	} else {
		payer = of.Counterparty
	}
	actor := payments.Member(payer)
	key := w.keyOf(actor)
	w.make(p, &request{
		what: key + " refund " + amount.String() + " of " + string(kind) + " " + of.ID + " by " + payer, actor: actor,
		kind: payments.Refund, member: payer, amount: amount, of: of.ID,
		call: func(s *payments.Service, altered bool) (payments.Payment, error) {
			r := payments.RefundRequest{Key: key, Actor: actor, Of: of.ID, Amount: amount}
			if altered {
				r.Description = "other content"
			}
			return s.Refund(w.asking, r)
		},
	})
}

// freeze stops a wallet, or lets it go.
func (w *world) freeze(p *process) {
	asset := w.asset()
	member := w.richest(asset)
	if w.truth.accounts[payments.WalletAccount(member, asset.ID())] == nil {
		return
	}
	key, all, lift := w.nextKey(), w.dice.chance(500), w.dice.chance(450)
	what := " freeze "
	if lift {
		what = " unfreeze "
	}
	w.make(p, &request{
		what: key + what + asset.Code() + " of " + member, actor: payments.Platform(),
		call: func(s *payments.Service, altered bool) (payments.Payment, error) {
			if lift != altered {
				return payments.Payment{}, s.Unfreeze(w.asking, payments.Platform(), key, member, asset.ID())
			}
			return payments.Payment{}, s.Freeze(w.asking, payments.Platform(), key, member, asset.ID(), all)
		},
	})
}

// replay asks again for something that was asked for before.
func (w *world) replay(p *process) {
	if len(w.requests) > 0 {
		w.ask(p, pick(w.dice, w.requests...), false)
	}
}

// alter asks for something else under a key that was used before.
func (w *world) alter(p *process) {
	if len(w.requests) == 0 {
		return
	}
	if r := pick(w.dice, w.requests...); r.acked != nil {
		w.ask(p, r, true)
	}
}
