package bitcoin

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/koshpay/kosh/providers"
)

var (
	errWrongKey     = errors.New("bitcoin: the signer's key is not the one of the account's extended public key")
	errBadSignature = errors.New("bitcoin: the signer's signature does not verify")
)

// signed signs each input of a transaction (BIP-143).
func (p *Provider) signed(ctx context.Context, key string, o operation, v variant) (variant, error) {
	script, err := p.config.Network.destination(o.Instrument)
	if err != nil {
		return v, err
	}
	units, _ := o.Amount.Int64()
	tx, err := p.unsigned(v, units, script)
	if err != nil {
		return v, err
	}
	if tx.TxHash().String() != v.TxID {
		return v, fmt.Errorf("bitcoin: the plan of %s does not make transaction %s", key, v.TxID)
	}
	intent := providers.Intent{
		Chain: string(p.config.Network), Purpose: providers.PurposeWithdrawal, Operation: key,
		Outputs: []providers.Output{{To: o.Instrument, Amount: o.Amount}}, MaxFee: p.amount(v.Fee),
	}
	if n := len(o.Sent); n > 0 {
		intent.Replaces = o.Sent[n-1].TxID
	}
	if v.Change > 0 {
		l, err := p.keys.at(v.Back)
		if err != nil {
			return v, err
		}
		intent.Outputs = append(intent.Outputs, providers.Output{To: l.address, Amount: p.amount(v.Change), Change: true})
	}
	prev := txscript.NewMultiPrevOutFetcher(nil)
	locks := make([]lock, len(v.Inputs))
	for i, in := range v.Inputs {
		if locks[i], err = p.keys.at(in.Place); err != nil {
			return v, err
		}
		prev.AddPrevOut(tx.TxIn[i].PreviousOutPoint, wire.NewTxOut(in.Units, locks[i].script))
	}
	hashes := txscript.NewTxSigHashes(tx, prev)
	for i, in := range v.Inputs {
		digest, err := txscript.CalcWitnessSigHash(locks[i].script, hashes, txscript.SigHashAll, tx, i, in.Units)
		if err != nil {
			return v, fmt.Errorf("bitcoin: hashing input %d: %w", i, err)
		}
		r := providers.SignRequest{Key: p.keys.name(in.Place), Digest: [32]byte(digest), Intent: intent}
		der, err := p.signature(ctx, r, locks[i].public)
		if err != nil {
			return v, err
		}
		tx.TxIn[i].Witness = wire.TxWitness{append(der, byte(txscript.SigHashAll)), locks[i].public[:]}
	}
	var raw bytes.Buffer
	if err := tx.Serialize(&raw); err != nil {
		return v, fmt.Errorf("bitcoin: writing a transaction: %w", err)
	}
	v.Raw = hex.EncodeToString(raw.Bytes())
	return v, nil
}

// signature asks the signer, makes s low (BIP-146), and checks the signature against the key that the coin is locked with.
func (p *Provider) signature(ctx context.Context, r providers.SignRequest, public [33]byte) ([]byte, error) {
	have, err := p.signer.PublicKey(ctx, r.Key)
	if err != nil {
		return nil, fmt.Errorf("bitcoin: the signer's key %s: %w", r.Key, err)
	}
	if !bytes.Equal(have, public[:]) {
		return nil, fmt.Errorf("%w: %s", errWrongKey, r.Key)
	}
	rs, err := p.signer.Sign(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("bitcoin: signing with %s: %w", r.Key, err)
	}
	const half = 32
	var sigR, sigS btcec.ModNScalar
	if len(rs) != 2*half || sigR.SetByteSlice(rs[:half]) || sigS.SetByteSlice(rs[half:]) || sigR.IsZero() || sigS.IsZero() {
		return nil, fmt.Errorf("%w: %s", errBadSignature, r.Key)
	}
	if sigS.IsOverHalfOrder() {
		sigS.Negate()
	}
	key, err := btcec.ParsePubKey(public[:])
	if err != nil {
		return nil, fmt.Errorf("bitcoin: key %s: %w", r.Key, err)
	}
	signature := ecdsa.NewSignature(&sigR, &sigS)
	if !signature.Verify(r.Digest[:], key) {
		return nil, fmt.Errorf("%w: %s", errBadSignature, r.Key)
	}
	return signature.Serialize(), nil
}

// Check implements providers.Checker: the node answers and is on the configured network, the signer has the account's keys, and nothing
// is halted.
func (p *Provider) Check(ctx context.Context) error {
	p.setRight(false)
	if err := p.onNetwork(ctx); err != nil {
		return err
	}
	for _, w := range []place{{receiving, 0}, {change44, 0}} {
		l, err := p.keys.at(w)
		if err != nil {
			return err
		}
		have, err := p.signer.PublicKey(ctx, p.keys.name(w))
		if err != nil {
			return fmt.Errorf("bitcoin: the signer's key %s: %w", p.keys.name(w), err)
		}
		if !bytes.Equal(have, l.public[:]) {
			return fmt.Errorf("%w: %s", errWrongKey, p.keys.name(w))
		}
	}
	why, err := p.Halted(ctx)
	if err == nil && why != "" {
		err = halted(why)
	}
	return err
}
