package payments

import (
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// This file is about payouts that moved and were taken back while the provider may still carry them out, as a transaction whose
// block a reorganisation took away: the money is the member's again and stays held, or it could be spent twice. Most are mined
// again within minutes. One that is not gets a case, and a person who knows that it never will be says NeverHappened: what is held is
// released. Should it be mined after all, it is charged like a payout whose hold is gone (see payoutMoved).

// orphanPatience is how long a payout is left to be mined again before a person is told.
const orphanPatience = time.Hour

// orphans are the effects that took back what may move again, and for which something is held.
func (r *record) orphans() (all []*effect) {
	if r.Kind != Withdrawal {
		return nil
	}
	for i := range r.Effects {
		if e := &r.Effects[i]; e.Kind == providers.Reversed && e.held() {
			all = append(all, e)
		}
	}
	return all
}

// findOrphans finds what has been held for long.
func (j *journal) findOrphans() {
	for _, e := range j.rec.orphans() {
		if j.view.Now().Sub(e.At) < orphanPatience {
			continue
		}
		j.effect = e
		j.find(providers.CodeOrphaned, "what was paid out was taken back and has not moved again; it stays held until the provider or a person decides", currency.Amount{})
	}
}

// orphanReads names what the release of orphans touches.
func (r *record) orphanReads() (reads ledger.Reads) {
	for _, e := range r.orphans() {
		asset := e.Amount.AssetID()
		reads.Holds = append(reads.Holds, e.Hold)
		reads.Transactions = append(reads.Transactions, repaymentID(e.Hold))
		reads.Accounts = append(reads.Accounts, WalletAccount(r.Member, asset), ReceivableAccount(r.Member, asset))
	}
	return reads
}
