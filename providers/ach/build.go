package ach

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"

	nacha "github.com/moov-io/ach"
)

// ident is what identifies an operation in an entry's identification number: 75 bits of its key's hash. A bank
// returns it as it was sent, so a return that was meant for another originator is noticed.
func ident(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base32.StdEncoding.EncodeToString(sum[:])[:15]
}

// build makes the file's bytes. They depend on nothing but the plan and what it pins, so a file that is built again after a
// crash is the same.
func (p *Provider) build(ctx context.Context, f file, canceled map[int64]bool) ([]byte, error) {
	c := p.config
	out := nacha.NewFile()
	out.Header.ImmediateDestination, out.Header.ImmediateDestinationName = c.Destination.ID, c.Destination.Name
	out.Header.ImmediateOrigin, out.Header.ImmediateOriginName = c.Origin.ID, c.Origin.Name
	created := f.Created.In(eastern)
	out.Header.FileCreationDate, out.Header.FileCreationTime = created.Format("060102"), created.Format("1504")
	out.Header.FileIDModifier = f.Modifier
	for i, b := range f.Batches {
		h := nacha.NewBatchHeader()
		h.ServiceClassCode = nacha.DebitsOnly
		if b.Credit {
			h.ServiceClassCode = nacha.CreditsOnly
		}
		h.CompanyName, h.CompanyIdentification, h.CompanyEntryDescription = c.Company.Name, c.Company.ID, c.Company.Entry
		if b.Purpose == micro {
			h.CompanyEntryDescription = "ACCTVERIFY" // as the rules want it for micro-entries
		}
		h.StandardEntryClassCode = b.SEC
		h.EffectiveEntryDate = b.Effective.In(eastern).Format("060102")
		h.ODFIIdentification, h.BatchNumber = c.ODFI[:8], i+1
		bt, err := nacha.NewBatch(h)
		if err != nil {
			return nil, malformed(f.Name, err)
		}
		for _, e := range b.Entries {
			if canceled[e.Slot] {
				continue
			}
			detail, err := p.detail(ctx, b, e)
			if err != nil {
				return nil, err
			}
			bt.AddEntry(detail)
		}
		if len(bt.GetEntries()) == 0 {
			continue // all were canceled
		}
		if err := bt.Create(); err != nil {
			return nil, malformed(f.Name, err)
		}
		out.AddBatch(bt)
	}
	if len(out.Batches) == 0 {
		return nil, nil
	}
	if err := out.Create(); err != nil {
		return nil, malformed(f.Name, err)
	}
	var buffer bytes.Buffer
	if err := nacha.NewWriter(&buffer).Write(out); err != nil {
		return nil, malformed(f.Name, err)
	}
	return buffer.Bytes(), nil
}

func (p *Provider) detail(ctx context.Context, b batch, e entry) (*nacha.EntryDetail, error) {
	o, err := p.entry(ctx, e.Slot)
	if err != nil {
		return nil, err
	}
	if e.Version >= len(o.account.Versions) {
		return nil, fmt.Errorf("ach: %s has no version %d", accountKey(o.token), e.Version)
	}
	d := o.account.Versions[e.Version]
	number, err := p.keys.open(accountKey(o.token), d.Number)
	if err != nil {
		return nil, fmt.Errorf("ach: %s: %w", accountKey(o.token), err)
	}
	out := nacha.NewEntryDetail()
	out.TransactionCode = transactionCode(d.Savings, o.part)
	out.SetRDFI(d.Routing)
	out.DFIAccountNumber, out.IndividualName = number, d.Holder
	out.Amount = int(o.cents)
	out.IdentificationNumber = ident(o.key)
	out.TraceNumber = p.trace(e.Slot)
	if b.SEC == nacha.WEB {
		out.SetPaymentType("S") // a single entry, not one of a series
	}
	return out, nil
}

func transactionCode(savings bool, e part) int {
	code := nacha.CheckingDebit
	switch {
	case e.Purpose == prenote && e.Credit:
		code = nacha.CheckingPrenoteCredit
	case e.Purpose == prenote:
		code = nacha.CheckingPrenoteDebit
	case e.Credit:
		code = nacha.CheckingCredit
	}
	if savings {
		code += nacha.SavingsCredit - nacha.CheckingCredit
	}
	return code
}
