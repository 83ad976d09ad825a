package ledger

import "bytes"

// lookUp answers an entry whose key is known: the first receipt or the first decline, or ErrKeyConflict when the key
// stands for something else. Otherwise it says what is wrong with the entry itself, if anything.
func (s *step) lookUp() (answer outcome, replayed bool, err error) {
	p := s.p
	if p.key == "" {
		return outcome{}, false, nil
	}
	row, exists, named := s.w.keys.get(p.key)
	if !named {
		s.w.missing.Keys = append(s.w.missing.Keys, p.key)
		return outcome{}, false, errUnread
	}
	if !exists {
		if p.fault != nil {
			return outcome{}, false, p.fault
		}
		return outcome{}, false, nil
	}
	if bytes.Equal(row.Inputs, p.fingerprint()) {
		return row.answer(), true, nil
	}
	path, err := s.compare(row)
	switch {
	case err == errUnread: //nolint:errorlint // the rule book's own
		return outcome{}, false, err
	case err != nil:
		return outcome{err: err}, true, nil
	case path != "":
		return outcome{err: refuse(ErrKeyConflict, "the key was used for other inputs").in(path)}, true, nil
	}
	return row.answer(), true, nil
}

// compare returns the path of the first value that differs between the inputs of a key and those of the entry.
func (s *step) compare(row *KeyRow) (path string, err error) {
	before, err := s.wholeInputs(row)
	if err != nil {
		return "", err
	}
	now, r := s.p.whole()
	if r != nil {
		return "", r
	}
	if path, err = difference(before, now); err != nil {
		return "", corrupt("the inputs of a key do not read", err)
	}
	if path == "" && isPostDigest(row.Inputs) && isPostDigest(s.p.fingerprint()) {
		return "commands[0].post", nil // the transaction is not what it was
	}
	return path, nil
}

// answer is what the key's first entry was told.
func (k *KeyRow) answer() outcome {
	o := outcome{receipt: k.Receipt}
	o.receipt.Replayed = true
	if k.Refusal != nil {
		refusal := *k.Refusal
		o.err = &refusal
	}
	return o
}

// burn records a decline under its key and nothing else. The refusal becomes what its replay will be.
func (s *step) burn(r *Refusal) Receipt {
	s.w.begin()
	r.Cause = nil // not stored; the first answer and its replays are equal
	receipt := Receipt{ID: s.p.id, Key: s.p.key, RecordedAt: s.now}
	stored := *r
	inputs := s.p.fingerprint()
	if whole, failed := s.p.whole(); failed == nil {
		inputs = whole
	}
	s.w.keys.put(s.p.key, &KeyRow{Key: s.p.key, Inputs: inputs, Receipt: receipt, Refusal: &stored})
	return receipt
}
