package currency

import (
	"database/sql/driver"
	"fmt"
)

// Value implements [driver.Valuer]: the text form, NULL for Amount{}. It suits
// a text column; a database cannot add such values up, which is the ledger's
// business.
func (a Amount) Value() (driver.Value, error) {
	if a.def == nil {
		return nil, nil
	}
	return a.String(), nil
}

// Scan implements [database/sql.Scanner] for the text form and NULL. A bare
// number, as a number or as text, is [ErrSyntax]: it has no asset.
func (a *Amount) Scan(src any) error {
	var v Amount
	var err error
	switch s := src.(type) {
	case nil:
	case string:
		v, err = parseText("scan", s)
	case []byte:
		v, err = parseText("scan", s)
	default:
		err = &Error{Op: "scan", Err: ErrSyntax, Detail: fmt.Sprintf("cannot read an amount from %T", src)}
	}
	if err != nil {
		return err
	}
	*a = v
	return nil
}
