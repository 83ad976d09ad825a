package providertest_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// Poll implements providers.Poller: it looks at the chain, and then tells what is new.
func (a *reference) Poll(ctx context.Context, cursor string, limit int) ([]providers.Event, string, error) {
	if err := a.sync(ctx); err != nil {
		return nil, "", err
	}
	b, _, err := a.load(ctx)
	if err != nil {
		return nil, "", err
	}
	from, _ := strconv.Atoi(cursor)
	to := min(from+limit, len(b.News))
	if a.flaw == skipsNews && to-from == 1 && limit == 1 {
		from = min(from+1, to)
	}
	var events []providers.Event
	for i, name := range b.News[min(from, to):to] {
		r, err := b.report(name, a.flaw)
		if err != nil {
			return nil, "", err
		}
		r.Effects = slices.Clone(r.Effects)
		for i := range r.Effects {
			switch a.flaw {
			case newIDs:
				r.Effects[i].ID += "/" + cursor
			case processIDs:
				r.Effects[i].ID += fmt.Sprintf("/%d", a.number)
			}
		}
		events = append(events, providers.Event{ID: fmt.Sprintf("%d", from+i), Report: &r, At: a.now()})
	}
	return events, strconv.Itoa(to), nil
}

// Lookup implements providers.Provider: from the document, which Poll keeps up.
func (a *reference) Lookup(ctx context.Context, q providers.Query) (providers.Report, error) {
	b, _, err := a.load(ctx)
	if err != nil {
		return providers.Report{}, err
	}
	if o := b.owner(q.Key); o != nil {
		return providers.Report{
			Key: o.Operation, Reference: o.Address, Kind: providers.DepositAddress, State: providers.Succeeded, Address: o.Address, Member: o.Member,
			Action: &providers.Action{Kind: "address", Address: o.Address},
		}, nil
	}
	name := q.Key
	if name == "" {
		name = q.Reference
	}
	return b.report(name, a.flaw)
}

// sync brings the document up to the chain's newest block, sends again what the network forgot, and replaces what is stuck.
func (a *reference) sync(ctx context.Context) error {
	var halt error
	if a.flaw == notesPlaceFirst {
		return a.notesPlaceFirst(ctx)
	}
	err := a.change(ctx, func(b *book) error {
		halt = nil
		if b.Halted != "" {
			return fmt.Errorf("%w: %s", providers.ErrHalted, b.Halted)
		}
		halt = a.scan(b)
		if errors.Is(halt, providers.ErrHalted) {
			b.Halted = halt.Error()
			return nil
		}
		return halt
	})
	if err = errors.Join(err, halt); err != nil {
		return err
	}
	return a.tend(ctx)
}

// notesPlaceFirst is sync of an adapter that writes down how far it is before it writes down what it found.
func (a *reference) notesPlaceFirst(ctx context.Context) error {
	var found book
	err := a.change(ctx, func(b *book) error {
		found = *b
		if err := a.scan(&found); err != nil {
			return err
		}
		b.Seen = found.Seen
		return nil
	})
	if err != nil {
		return err
	}
	return a.change(ctx, func(b *book) error {
		b.Deposits, b.Sends, b.News = found.Deposits, found.Sends, found.News
		return nil
	})
}

// scan walks back to the last block that is still there, and from there to the newest.
func (a *reference) scan(b *book) error {
	id, err := a.node.id()
	if err != nil {
		return err
	}
	if id != modelID && a.flaw != anyChain {
		return fmt.Errorf("%w: this is %s", providers.ErrHalted, id)
	}
	height, err := a.node.height()
	if err != nil {
		return err
	}
	ancestor := len(b.Seen) - 1
	for ; ancestor >= 0 && a.flaw != neverLooksBack; ancestor-- {
		if a.flaw == looksOnce && ancestor < len(b.Seen)-1 {
			break
		}
		if ancestor <= height {
			block, err := a.node.block(ancestor)
			if err != nil {
				return err
			}
			if block.Hash == b.Seen[ancestor].Hash {
				break
			}
		}
		if len(b.Seen)-ancestor > window && !b.Resync && a.flaw != anyDepth {
			return fmt.Errorf("%w: the reorganisation is deeper than %d blocks", providers.ErrHalted, window)
		}
	}
	b.Resync = false
	b.rollBack(ancestor, a.now, a.flaw)
	b.Seen = b.Seen[:ancestor+1]
	for at := ancestor + 1; at <= height; at++ {
		block, err := a.node.block(at)
		if err != nil {
			return err
		}
		if at > 0 && block.Parent != b.Seen[at-1].Hash && a.flaw != trustsParents && a.flaw != neverLooksBack {
			return errors.New("the chain was reorganised during the scan: scan again")
		}
		if err := a.read(b, block); err != nil {
			return err
		}
		b.Seen = append(b.Seen, seen{block.Hash, block.Parent})
	}
	if old := height - window; old >= 0 && a.flaw != oneEndpoint {
		other, err := a.node.second(old)
		if err != nil {
			return err
		}
		if other != b.Seen[old].Hash {
			return fmt.Errorf("%w: the endpoints disagree about block %d", providers.ErrHalted, old)
		}
	}
	a.count(b, height)
	return nil
}

// rollBack takes out what was mined above the ancestor.
func (b *book) rollBack(ancestor int, now modelClock, flaw flaw) {
	take := func(effects []providers.Effect) []providers.Effect {
		for _, e := range slices.Clone(effects) {
			undone := slices.ContainsFunc(effects, func(o providers.Effect) bool { return o.ID == e.ID+"/orphaned" })
			if undone || e.Kind == providers.Reversed || e.Kind == providers.Fee && e.Amount.Sign() > 0 {
				continue
			}
			back, _ := e.Amount.Neg()
			r := providers.Effect{ID: e.ID + "/orphaned", Kind: providers.Reversed, Amount: back, Reverses: e.ID, At: now()}
			if e.Kind == providers.Fee {
				r.Kind, r.Reverses = providers.Fee, ""
			}
			effects = append(effects, r)
		}
		return effects
	}
	for i := range b.Deposits {
		d := &b.Deposits[i]
		if d.Mined != nil && d.Mined.Height > ancestor && (d.Counted || flaw != keepsWaiting) {
			if d.Counted && flaw != keepsOrphans {
				d.Effects = take(d.Effects)
			}
			d.Mined, d.Counted, d.Final = nil, false, false
			b.News = append(b.News, d.reference())
		}
	}
	for i := range b.Sends {
		s := &b.Sends[i]
		if s.Mined != nil && s.Mined.Height > ancestor {
			if s.Counted && flaw != keepsSpent {
				s.Effects = take(s.Effects)
			}
			s.Mined, s.Counted = nil, flaw == keepsSpent && s.Counted
			b.News = append(b.News, s.name())
		}
	}
}

func (s send) name() string {
	if s.Operation != "" {
		return s.Operation
	}
	return s.reference()
}

// read takes note of what a block holds for us.
func (a *reference) read(b *book, block *modelBlock) error {
	here := &place{block.Height, block.Hash}
	for _, m := range block.Txs {
		ours := providers.Purpose("")
		for i := range b.Sends {
			s := &b.Sends[i]
			if v := slices.Index(s.Hashes, m.Hash); v >= 0 && (a.flaw != oneVersion || v == len(s.Versions)-1) {
				s.Mined, s.Winner, s.Cost, s.OK = here, v, m.Cost, m.OK
				ours = s.Purpose
			}
		}
		if ours != "" && (ours != providers.PurposeWithdrawal || a.flaw == skipsOwn) && a.flaw != countsOwn {
			continue // between our own addresses
		}
		if a.flaw == creditsFailed && !m.OK {
			m.Logs = m.Tx.Outputs
		}
		for i, l := range m.Logs {
			if a.flaw == oneOutput && i > 0 {
				break
			}
			at := slices.IndexFunc(b.Addresses, func(o owned) bool { return o.Address == l.To })
			if at < 0 || (l.Quantity.Sign() == 0 && a.flaw != creditsZero) {
				continue
			}
			if a.flaw == stopsAtLarge && l.Quantity.BitLen() > 127 {
				return errors.New("a quantity of more than 127 bits")
			}
			if m.Tx.Fake && a.flaw == creditsFakes {
				l.Asset = coin.ID()
			}
			if a.flaw == believesSent {
				l.Quantity = m.Tx.Outputs[i].Quantity
			} else if (l.Asset == taxed.ID() || l.Asset == liar.ID()) && a.flaw != believesLogs {
				was, err := a.node.balance(l.Asset, l.To, block.Parent)
				if err != nil {
					return err
				}
				is, err := a.node.balance(l.Asset, l.To, block.Hash)
				if err != nil {
					return err
				}
				l.Quantity = new(big.Int).Sub(is, was)
			}
			if at := slices.IndexFunc(b.Deposits, func(d deposit) bool { return d.Tx == m.Hash && d.Index == i }); a.flaw == keepsWaiting && at >= 0 && b.Deposits[at].Mined != nil {
				continue
			}
			b.arrived(deposit{Tx: m.Hash, Index: i, To: l.To, Member: b.Addresses[at].Member, Asset: l.Asset, Quantity: l.Quantity, Mined: here}, a.flaw)
		}
	}
	return nil
}

func (b *book) arrived(d deposit, flaw flaw) {
	if flaw == oneReference {
		d.Index = 0
	}
	for i := range b.Deposits {
		if o := &b.Deposits[i]; o.reference() == d.reference() {
			o.Mined = d.Mined
			b.News = append(b.News, o.reference())
			return
		}
	}
	b.Deposits = append(b.Deposits, d)
	b.News = append(b.News, d.reference())
}

// count gives effects to what has its confirmations.
func (a *reference) count(b *book, head int) {
	need := wanted
	if a.flaw == countsEarly {
		need--
	}
	for i := range b.Deposits {
		d := &b.Deposits[i]
		if d.Mined == nil {
			continue
		}
		n := head - d.Mined.Height + 1
		if n >= need && !d.Counted {
			d.Counted = true
			if amount, ok := d.amount(a.flaw); ok && amount.Sign() > 0 {
				d.Effects = append(d.Effects, providers.Effect{ID: d.id(a.flaw), Kind: providers.Moved, Amount: amount, At: a.now()})
			}
			b.News = append(b.News, d.reference())
		}
		if n > window && !d.Final {
			d.Final = true
			b.News = append(b.News, d.reference())
		}
	}
	for i := range b.Sends {
		s := &b.Sends[i]
		if s.Mined == nil {
			continue
		}
		n := head - s.Mined.Height + 1
		if n >= a.sendsWant() && !s.Counted && (s.OK || n > window) {
			s.Counted = true
			id := fmt.Sprintf("%s/%s/out/%s", modelID, s.Hashes[s.Winner], s.Mined.Block)
			asset, _ := currency.Lookup(s.Asset)
			amount, err := currency.FromBig(new(big.Int).Neg(s.Quantity), asset)
			if s.OK && s.Purpose == providers.PurposeWithdrawal && err == nil {
				s.Effects = append(s.Effects, providers.Effect{ID: id, Kind: providers.Moved, Amount: amount, At: a.now()})
			}
			fees := s.Purpose == providers.PurposeWithdrawal || a.flaw != forgetsSweeps
			if fees && (s.OK || a.flaw != forgetsReverts) && (s.Winner == 0 || a.flaw != forgetsBumps) {
				cost := s.Cost
				if a.flaw == estimatesFee {
					cost = gasOf(s.Asset) * usualPrice
				}
				s.Effects = append(s.Effects, providers.Effect{ID: id + "/fee", Kind: providers.Fee, Amount: currency.MustNew(-cost, ether), At: a.now()})
			}
			b.News = append(b.News, s.name())
		}
	}
}

func (a *reference) sendsWant() int {
	if a.flaw == sendsEarly {
		return wanted - 1
	}
	return wanted
}
