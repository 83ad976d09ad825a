package currency

import "encoding/binary"

// The binary form is a version, the scale, sixteen bytes of two's complement
// with the most significant first, and the ID. The scale is there so that
// units written under one definition are never read under another.
const (
	binaryVersion = 1
	binaryHeader  = 2 + 16
)

// AppendBinary implements [encoding.BinaryAppender]. Amount{} appends nothing.
func (a Amount) AppendBinary(b []byte) ([]byte, error) {
	if a.def == nil {
		return b, nil
	}
	b = append(b, binaryVersion, a.def.info.Scale)
	b = binary.BigEndian.AppendUint64(b, uint64(a.units.hi))
	b = binary.BigEndian.AppendUint64(b, a.units.lo)
	return append(b, a.def.info.ID...), nil
}

// MarshalBinary implements [encoding.BinaryMarshaler]. Amount{} is empty.
func (a Amount) MarshalBinary() ([]byte, error) {
	return a.AppendBinary(make([]byte, 0, binaryHeader+len(a.def.ID())))
}

// UnmarshalBinary implements [encoding.BinaryUnmarshaler]. Empty data is
// Amount{}. Data written under another scale is [ErrAssetConflict]. After an
// error the amount is as before.
func (a *Amount) UnmarshalBinary(data []byte) error {
	const op = "unmarshal binary"
	if len(data) == 0 {
		*a = Amount{}
		return nil
	}
	if len(data) <= binaryHeader || len(data) > binaryHeader+maxAssetIDLen || data[0] != binaryVersion {
		return &Error{Op: op, Err: ErrSyntax, Detail: "wrong length or version"}
	}
	d, err := known(op, data[binaryHeader:])
	if err != nil {
		return err
	}
	if data[1] != d.info.Scale {
		return opError(op, d, ErrAssetConflict, "written with another scale")
	}
	v := int128{hi: int64(binary.BigEndian.Uint64(data[2:])), lo: binary.BigEndian.Uint64(data[10:])}
	if v.isMin() {
		return opError(op, d, ErrOverflow, "")
	}
	*a = Amount{units: v, def: d}
	return nil
}
