package ledger

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
	path, err := difference(row.Inputs, p.inputs)
	if err != nil {
		return outcome{err: corrupt("the inputs of a key do not read", err)}, true, nil
	}
	if path != "" {
		return outcome{err: refuse(ErrKeyConflict, "the key was used for other inputs").in(path)}, true, nil
	}
	return row.answer(), true, nil
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
	s.w.keys.put(s.p.key, KeyRow{Key: s.p.key, Inputs: s.p.inputs, Receipt: receipt, Refusal: &stored})
	return receipt
}
