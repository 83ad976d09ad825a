-- For people with the sqlite3 shell: amounts as decimal text with the places of their asset, times in UTC.
-- A large amount is 16 bytes; its hexadecimal digits are folded into three numbers of fifteen decimal digits each.

-- Available is null when it does not fit into 64 bits: SQL cannot subtract then.
CREATE VIEW balances AS
SELECT book, path, asset, type, owner, posted_sign || CASE scale WHEN 0 THEN posted_digits ELSE
		substr((substr('0000000000000000000000000000000', 1, max(0, scale + 1 - length(posted_digits))) || posted_digits), 1, length((substr('0000000000000000000000000000000', 1, max(0, scale + 1 - length(posted_digits))) || posted_digits)) - scale) || '.' || substr((substr('0000000000000000000000000000000', 1, max(0, scale + 1 - length(posted_digits))) || posted_digits), -scale) END AS posted,
	held_sign || CASE scale WHEN 0 THEN held_digits ELSE
		substr((substr('0000000000000000000000000000000', 1, max(0, scale + 1 - length(held_digits))) || held_digits), 1, length((substr('0000000000000000000000000000000', 1, max(0, scale + 1 - length(held_digits))) || held_digits)) - scale) || '.' || substr((substr('0000000000000000000000000000000', 1, max(0, scale + 1 - length(held_digits))) || held_digits), -scale) END AS held,
	available_sign || CASE scale WHEN 0 THEN available_digits ELSE
		substr((substr('0000000000000000000000000000000', 1, max(0, scale + 1 - length(available_digits))) || available_digits), 1, length((substr('0000000000000000000000000000000', 1, max(0, scale + 1 - length(available_digits))) || available_digits)) - scale) || '.' || substr((substr('0000000000000000000000000000000', 1, max(0, scale + 1 - length(available_digits))) || available_digits), -scale) END AS available,
	version, state, updated_at
FROM (
	SELECT book, path, asset, type, owner, version, state, updated_at, scale,
		CASE WHEN typeof(posted) = 'integer' AND posted < 0 OR typeof(posted) = 'blob' AND substr(hex(posted), 1, 1) >= '8' THEN '-' ELSE '' END AS posted_sign, CASE typeof(posted)
		WHEN 'integer' THEN ltrim(CAST(posted AS TEXT), '-')
		WHEN 'blob' THEN (
			WITH RECURSIVE fold (i, high, middle, low) AS (
				SELECT 1, 0, 0, (instr('0123456789ABCDEF', substr(hex(posted), 1, 1)) - 1) % 8
				UNION ALL
				SELECT i + 1,
					high * 16 + (middle * 16 + (low * 16 + (instr('0123456789ABCDEF', substr(hex(posted), i + 1, 1)) - 1)) / 1000000000000000) / 1000000000000000,
					(middle * 16 + (low * 16 + (instr('0123456789ABCDEF', substr(hex(posted), i + 1, 1)) - 1)) / 1000000000000000) % 1000000000000000,
					(low * 16 + (instr('0123456789ABCDEF', substr(hex(posted), i + 1, 1)) - 1)) % 1000000000000000
				FROM fold WHERE i < 32
			)
			SELECT ltrim(printf('%d%015d%015d', high, middle, low), '0') FROM fold WHERE i = 32)
		END AS posted_digits,
		CASE WHEN typeof(held) = 'integer' AND held < 0 OR typeof(held) = 'blob' AND substr(hex(held), 1, 1) >= '8' THEN '-' ELSE '' END AS held_sign, CASE typeof(held)
		WHEN 'integer' THEN ltrim(CAST(held AS TEXT), '-')
		WHEN 'blob' THEN (
			WITH RECURSIVE fold (i, high, middle, low) AS (
				SELECT 1, 0, 0, (instr('0123456789ABCDEF', substr(hex(held), 1, 1)) - 1) % 8
				UNION ALL
				SELECT i + 1,
					high * 16 + (middle * 16 + (low * 16 + (instr('0123456789ABCDEF', substr(hex(held), i + 1, 1)) - 1)) / 1000000000000000) / 1000000000000000,
					(middle * 16 + (low * 16 + (instr('0123456789ABCDEF', substr(hex(held), i + 1, 1)) - 1)) / 1000000000000000) % 1000000000000000,
					(low * 16 + (instr('0123456789ABCDEF', substr(hex(held), i + 1, 1)) - 1)) % 1000000000000000
				FROM fold WHERE i < 32
			)
			SELECT ltrim(printf('%d%015d%015d', high, middle, low), '0') FROM fold WHERE i = 32)
		END AS held_digits,
		CASE WHEN typeof(available) = 'integer' AND available < 0 OR typeof(available) = 'blob' AND substr(hex(available), 1, 1) >= '8' THEN '-' ELSE '' END AS available_sign, CASE typeof(available)
		WHEN 'integer' THEN ltrim(CAST(available AS TEXT), '-')
		WHEN 'blob' THEN (
			WITH RECURSIVE fold (i, high, middle, low) AS (
				SELECT 1, 0, 0, (instr('0123456789ABCDEF', substr(hex(available), 1, 1)) - 1) % 8
				UNION ALL
				SELECT i + 1,
					high * 16 + (middle * 16 + (low * 16 + (instr('0123456789ABCDEF', substr(hex(available), i + 1, 1)) - 1)) / 1000000000000000) / 1000000000000000,
					(middle * 16 + (low * 16 + (instr('0123456789ABCDEF', substr(hex(available), i + 1, 1)) - 1)) / 1000000000000000) % 1000000000000000,
					(low * 16 + (instr('0123456789ABCDEF', substr(hex(available), i + 1, 1)) - 1)) % 1000000000000000
				FROM fold WHERE i < 32
			)
			SELECT ltrim(printf('%d%015d%015d', high, middle, low), '0') FROM fold WHERE i = 32)
		END AS available_digits
	FROM (
		SELECT k.name AS book, a.path, a.asset, CASE a.type WHEN 1 THEN 'asset' WHEN 2 THEN 'liability' WHEN 3 THEN 'equity' WHEN 4 THEN 'income' WHEN 5 THEN 'expense' END AS type,
			nullif(a.owner, '') AS owner, b.version, u.scale, b.posted, b.held,
			CASE WHEN typeof(b.posted) = 'integer' AND typeof(b.held) = 'integer'
			AND b.posted BETWEEN -4000000000000000000 AND 4000000000000000000 AND b.held BETWEEN 0 AND 4000000000000000000
		THEN b.posted - b.held WHEN b.held = 0 THEN b.posted END AS available,
			CASE WHEN a.flags & 4 THEN 'closed' WHEN a.flags & 3 = 3 THEN 'frozen' WHEN a.flags & 1 THEN 'debits frozen'
				WHEN a.flags & 2 THEN 'credits frozen' ELSE 'open' END AS state,
			strftime('%Y-%m-%d %H:%M:%S', ((b.updated_at) - (((b.updated_at) % 1000000 + 1000000) % 1000000)) / 1000000, 'unixepoch') || printf('.%06d', (((b.updated_at) % 1000000 + 1000000) % 1000000)) AS updated_at
		FROM kosh_account a JOIN kosh_balance b ON b.account = a.id JOIN kosh_book k ON k.id = a.book
			LEFT JOIN kosh_unit u ON u.asset = a.asset));

CREATE VIEW statement AS
SELECT book, path, asset, line, kind, side, amount_sign || CASE scale WHEN 0 THEN amount_digits ELSE
		substr((substr('0000000000000000000000000000000', 1, max(0, scale + 1 - length(amount_digits))) || amount_digits), 1, length((substr('0000000000000000000000000000000', 1, max(0, scale + 1 - length(amount_digits))) || amount_digits)) - scale) || '.' || substr((substr('0000000000000000000000000000000', 1, max(0, scale + 1 - length(amount_digits))) || amount_digits), -scale) END AS amount,
	posted_sign || CASE scale WHEN 0 THEN posted_digits ELSE
		substr((substr('0000000000000000000000000000000', 1, max(0, scale + 1 - length(posted_digits))) || posted_digits), 1, length((substr('0000000000000000000000000000000', 1, max(0, scale + 1 - length(posted_digits))) || posted_digits)) - scale) || '.' || substr((substr('0000000000000000000000000000000', 1, max(0, scale + 1 - length(posted_digits))) || posted_digits), -scale) END AS posted,
	held_sign || CASE scale WHEN 0 THEN held_digits ELSE
		substr((substr('0000000000000000000000000000000', 1, max(0, scale + 1 - length(held_digits))) || held_digits), 1, length((substr('0000000000000000000000000000000', 1, max(0, scale + 1 - length(held_digits))) || held_digits)) - scale) || '.' || substr((substr('0000000000000000000000000000000', 1, max(0, scale + 1 - length(held_digits))) || held_digits), -scale) END AS held,
	recorded_at, effective_at, "transaction", hold, key, reference, description
FROM (
	SELECT k.name AS book, a.path, a.asset, l.version AS line, CASE l.kind WHEN 1 THEN 'opened' WHEN 2 THEN 'posted' WHEN 3 THEN 'held' WHEN 4 THEN 'captured' WHEN 5 THEN 'released' WHEN 6 THEN 'expired' WHEN 7 THEN 'set' END AS kind,
		CASE l.side WHEN 1 THEN 'debit' WHEN 2 THEN 'credit' END AS side, u.scale,
		CASE WHEN typeof(l.amount) = 'integer' AND l.amount < 0 OR typeof(l.amount) = 'blob' AND substr(hex(l.amount), 1, 1) >= '8' THEN '-' ELSE '' END AS amount_sign, CASE typeof(l.amount)
		WHEN 'integer' THEN ltrim(CAST(l.amount AS TEXT), '-')
		WHEN 'blob' THEN (
			WITH RECURSIVE fold (i, high, middle, low) AS (
				SELECT 1, 0, 0, (instr('0123456789ABCDEF', substr(hex(l.amount), 1, 1)) - 1) % 8
				UNION ALL
				SELECT i + 1,
					high * 16 + (middle * 16 + (low * 16 + (instr('0123456789ABCDEF', substr(hex(l.amount), i + 1, 1)) - 1)) / 1000000000000000) / 1000000000000000,
					(middle * 16 + (low * 16 + (instr('0123456789ABCDEF', substr(hex(l.amount), i + 1, 1)) - 1)) / 1000000000000000) % 1000000000000000,
					(low * 16 + (instr('0123456789ABCDEF', substr(hex(l.amount), i + 1, 1)) - 1)) % 1000000000000000
				FROM fold WHERE i < 32
			)
			SELECT ltrim(printf('%d%015d%015d', high, middle, low), '0') FROM fold WHERE i = 32)
		END AS amount_digits,
		CASE WHEN typeof(l.posted) = 'integer' AND l.posted < 0 OR typeof(l.posted) = 'blob' AND substr(hex(l.posted), 1, 1) >= '8' THEN '-' ELSE '' END AS posted_sign, CASE typeof(l.posted)
		WHEN 'integer' THEN ltrim(CAST(l.posted AS TEXT), '-')
		WHEN 'blob' THEN (
			WITH RECURSIVE fold (i, high, middle, low) AS (
				SELECT 1, 0, 0, (instr('0123456789ABCDEF', substr(hex(l.posted), 1, 1)) - 1) % 8
				UNION ALL
				SELECT i + 1,
					high * 16 + (middle * 16 + (low * 16 + (instr('0123456789ABCDEF', substr(hex(l.posted), i + 1, 1)) - 1)) / 1000000000000000) / 1000000000000000,
					(middle * 16 + (low * 16 + (instr('0123456789ABCDEF', substr(hex(l.posted), i + 1, 1)) - 1)) / 1000000000000000) % 1000000000000000,
					(low * 16 + (instr('0123456789ABCDEF', substr(hex(l.posted), i + 1, 1)) - 1)) % 1000000000000000
				FROM fold WHERE i < 32
			)
			SELECT ltrim(printf('%d%015d%015d', high, middle, low), '0') FROM fold WHERE i = 32)
		END AS posted_digits,
		CASE WHEN typeof(l.held) = 'integer' AND l.held < 0 OR typeof(l.held) = 'blob' AND substr(hex(l.held), 1, 1) >= '8' THEN '-' ELSE '' END AS held_sign, CASE typeof(l.held)
		WHEN 'integer' THEN ltrim(CAST(l.held AS TEXT), '-')
		WHEN 'blob' THEN (
			WITH RECURSIVE fold (i, high, middle, low) AS (
				SELECT 1, 0, 0, (instr('0123456789ABCDEF', substr(hex(l.held), 1, 1)) - 1) % 8
				UNION ALL
				SELECT i + 1,
					high * 16 + (middle * 16 + (low * 16 + (instr('0123456789ABCDEF', substr(hex(l.held), i + 1, 1)) - 1)) / 1000000000000000) / 1000000000000000,
					(middle * 16 + (low * 16 + (instr('0123456789ABCDEF', substr(hex(l.held), i + 1, 1)) - 1)) / 1000000000000000) % 1000000000000000,
					(low * 16 + (instr('0123456789ABCDEF', substr(hex(l.held), i + 1, 1)) - 1)) % 1000000000000000
				FROM fold WHERE i < 32
			)
			SELECT ltrim(printf('%d%015d%015d', high, middle, low), '0') FROM fold WHERE i = 32)
		END AS held_digits,
		strftime('%Y-%m-%d %H:%M:%S', ((l.recorded_at) - (((l.recorded_at) % 1000000 + 1000000) % 1000000)) / 1000000, 'unixepoch') || printf('.%06d', (((l.recorded_at) % 1000000 + 1000000) % 1000000)) AS recorded_at,
		strftime('%Y-%m-%d %H:%M:%S', ((coalesce(l.effective_at, l.recorded_at)) - (((coalesce(l.effective_at, l.recorded_at)) % 1000000 + 1000000) % 1000000)) / 1000000, 'unixepoch') || printf('.%06d', (((coalesce(l.effective_at, l.recorded_at)) % 1000000 + 1000000) % 1000000)) AS effective_at,
		lower(hex(coalesce(t.uuid, l.tx))) AS "transaction", lower(hex(coalesce(h.uuid, l.hold))) AS hold,
		coalesce(e.key, t.key, g.key, h.key) AS key, coalesce(t.reference, h.reference) AS reference,
		coalesce(t.description, h.description) AS description
	FROM kosh_line l JOIN kosh_account a ON a.id = l.account JOIN kosh_book k ON k.id = a.book
		LEFT JOIN kosh_unit u ON u.asset = a.asset
		LEFT JOIN kosh_tx t ON t.id = l.tx LEFT JOIN kosh_entry e ON e.id = t.entry
		LEFT JOIN kosh_hold h ON h.id = l.hold LEFT JOIN kosh_entry g ON g.id = h.entry);
