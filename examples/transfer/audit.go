package main

import (
	"context"
	"database/sql"
)

// Audit is what the bank holds, and the proof that nothing is missing.
type Audit struct {
	Balances  map[string]int64 `json:"balances"`
	Sum       int64            `json:"sum"`        // of the balances
	InTransit int64            `json:"in_transit"` // debited and not yet credited
	Opening   int64            `json:"opening"`    // sum of what the accounts were opened with
	Whole     int              `json:"whole"`      // transfers with both steps
	Half      int              `json:"half"`       // transfers with one; none when nothing is under way
	// Conserved: Sum + InTransit = Opening, and every balance is explained
	// by the steps made to it.
	Conserved bool `json:"conserved"`
}

const (
	perAccount = `
SELECT name, opening, balance, coalesce(sum(change), 0)
FROM accounts LEFT JOIN steps ON account = name GROUP BY name`

	perTransfer = `
SELECT count(*) FILTER (WHERE n = 2 AND left_over = 0), count(*) FILTER (WHERE n <> 2 OR left_over <> 0)
FROM (SELECT count(*) AS n, sum(change) AS left_over FROM steps GROUP BY transfer)`
)

// Audit adds up everything at one moment.
func (b *Bank) Audit(ctx context.Context) (Audit, error) {
	a := Audit{Balances: map[string]int64{}, Conserved: true}
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		return a, err
	}
	defer tx.Rollback() //nolint:errcheck // nothing was changed
	if err := a.addAccounts(ctx, tx); err != nil {
		return a, err
	}
	a.Conserved = a.Conserved && a.Sum+a.InTransit == a.Opening
	return a, tx.QueryRowContext(ctx, perTransfer).Scan(&a.Whole, &a.Half)
}

func (a *Audit) addAccounts(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, perAccount)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err has it
	for rows.Next() {
		var name string
		var opening, balance, change int64
		if err := rows.Scan(&name, &opening, &balance, &change); err != nil {
			return err
		}
		a.Balances[name] = balance
		a.Opening += opening
		a.Sum += balance
		a.InTransit -= change
		a.Conserved = a.Conserved && balance == opening+change
	}
	return rows.Err()
}
