-- Books, and the definition of every asset that an account was opened in.
CREATE TABLE kosh_book (
	id   INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE kosh_unit (
	asset TEXT NOT NULL PRIMARY KEY,
	code  TEXT NOT NULL,
	name  TEXT NOT NULL,
	scale INTEGER NOT NULL,
	kind  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- An account's terms change rarely, its balance always: the balance is a small row of its own.
-- Amounts are smallest units: INTEGER when they fit, else a BLOB of 16 bytes, the sign in the first bit, then the magnitude.
-- Times are microseconds since 1970. Flags: 1 debits frozen, 2 credits frozen, 4 closed.
CREATE TABLE kosh_account (
	id              INTEGER PRIMARY KEY,
	book            INTEGER NOT NULL,
	path            TEXT NOT NULL,
	asset           TEXT NOT NULL,
	type            INTEGER NOT NULL,
	owner           TEXT NOT NULL,
	opened_at       INTEGER NOT NULL,
	opening_floor   ANY,
	opening_ceiling ANY,
	opening_flags   INTEGER NOT NULL,
	floor           ANY,
	ceiling         ANY,
	flags           INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX kosh_account_name ON kosh_account (book, path, asset);
CREATE INDEX kosh_account_owner ON kosh_account (book, owner, path, asset);

-- head is the account's last line; marks are the places of a few of its block lines, see kosh_line.
CREATE TABLE kosh_balance (
	account    INTEGER PRIMARY KEY,
	version    INTEGER NOT NULL,
	posted     ANY,
	held       ANY,
	updated_at INTEGER NOT NULL,
	expiry     INTEGER,
	head       INTEGER,
	lines      INTEGER, -- when it is not the version
	marks      BLOB
) STRICT;

-- Lines are only ever added at the end, and each knows the one before it of its account. Every sixteenth line of an account
-- is a block line: it also knows the block line before (back) and one much further back (skip), so that any line of an
-- account is found in a few steps from its head.
CREATE TABLE kosh_line (
	id           INTEGER PRIMARY KEY,
	account      INTEGER NOT NULL,
	version      INTEGER NOT NULL,
	kind         INTEGER NOT NULL,
	side         INTEGER NOT NULL,
	amount       ANY,
	posted       ANY,
	held         ANY,
	tx           ANY, -- kosh_tx.id, or the UUID of one that is not there
	hold         ANY, -- kosh_hold.id, or the UUID of one that is not there
	recorded_at  INTEGER NOT NULL,
	effective_at INTEGER, -- when it is not recorded_at
	terms        BLOB,
	prev         INTEGER,
	back         INTEGER,
	skip         INTEGER
) STRICT;

-- Idempotency keys, each with what became of its entry.
CREATE TABLE kosh_entry (
	id          INTEGER PRIMARY KEY,
	book        INTEGER NOT NULL,
	key         TEXT NOT NULL,
	uuid        BLOB NOT NULL,
	recorded_at INTEGER NOT NULL,
	inputs      BLOB,
	receipt     BLOB NOT NULL,
	refusal     TEXT
) STRICT;
CREATE UNIQUE INDEX kosh_entry_key ON kosh_entry (book, key);

-- entry is the row of the transaction's key; key is the key itself when there is no such row.
CREATE TABLE kosh_tx (
	id           INTEGER PRIMARY KEY,
	book         INTEGER NOT NULL,
	uuid         BLOB NOT NULL,
	entry        INTEGER,
	key          TEXT,
	recorded_at  INTEGER NOT NULL,
	effective_at INTEGER, -- when it is not recorded_at
	postings     BLOB,
	imported     INTEGER NOT NULL,
	reference    TEXT,
	description  TEXT,
	meta         TEXT,
	reverses     BLOB,
	reversed     BLOB
) STRICT;
CREATE UNIQUE INDEX kosh_tx_uuid ON kosh_tx (book, uuid);
CREATE INDEX kosh_tx_time ON kosh_tx (book, recorded_at, uuid);

CREATE TABLE kosh_hold (
	id          INTEGER PRIMARY KEY,
	book        INTEGER NOT NULL,
	uuid        BLOB NOT NULL,
	entry       INTEGER,
	key         TEXT,
	account     INTEGER NOT NULL,
	amount      ANY,
	captured    ANY,
	released    ANY,
	state       INTEGER NOT NULL, -- 1 open, 2 captured, 3 released, 4 expired
	placed_at   INTEGER NOT NULL,
	expires_at  INTEGER,
	updated_at  INTEGER NOT NULL,
	reference   TEXT,
	description TEXT,
	meta        TEXT
) STRICT;
CREATE UNIQUE INDEX kosh_hold_uuid ON kosh_hold (book, uuid);
CREATE INDEX kosh_hold_time ON kosh_hold (book, placed_at, uuid);
CREATE INDEX kosh_hold_open ON kosh_hold (account, placed_at, uuid) WHERE state = 1;
CREATE INDEX kosh_hold_due ON kosh_hold (book, expires_at, uuid) WHERE state = 1 AND expires_at IS NOT NULL;
CREATE INDEX kosh_hold_expiry ON kosh_hold (account, expires_at) WHERE state = 1 AND expires_at IS NOT NULL;

-- The current version of each document, and every version.
CREATE TABLE kosh_document (
	id            INTEGER PRIMARY KEY,
	book          INTEGER NOT NULL,
	kind          TEXT NOT NULL,
	name          TEXT NOT NULL,
	version       INTEGER NOT NULL,
	owner         TEXT NOT NULL,
	state         TEXT NOT NULL,
	due           INTEGER,
	lane          TEXT NOT NULL,
	refs          TEXT,
	schema        INTEGER NOT NULL,
	body          BLOB,
	created_at    INTEGER NOT NULL,
	updated_at    INTEGER NOT NULL,
	erased_at     INTEGER,
	erased_reason TEXT,
	erased_digest BLOB
) STRICT;
CREATE UNIQUE INDEX kosh_document_name ON kosh_document (book, kind, name);
CREATE INDEX kosh_document_time ON kosh_document (book, created_at, kind, name);
CREATE INDEX kosh_document_kind ON kosh_document (book, kind, created_at, name);
CREATE INDEX kosh_document_owner ON kosh_document (book, owner, created_at, kind, name);
CREATE INDEX kosh_document_due ON kosh_document (book, due, kind, name) WHERE due IS NOT NULL;

CREATE TABLE kosh_version (
	id            INTEGER PRIMARY KEY,
	book          INTEGER NOT NULL,
	kind          TEXT NOT NULL,
	name          TEXT NOT NULL,
	version       INTEGER NOT NULL,
	owner         TEXT NOT NULL,
	state         TEXT NOT NULL,
	due           INTEGER,
	lane          TEXT NOT NULL,
	refs          TEXT,
	schema        INTEGER NOT NULL,
	body          BLOB,
	created_at    INTEGER NOT NULL,
	updated_at    INTEGER NOT NULL,
	erased_at     INTEGER,
	erased_reason TEXT,
	erased_digest BLOB
) STRICT;
CREATE UNIQUE INDEX kosh_version_name ON kosh_version (book, kind, name, version);

CREATE TABLE kosh_reference (
	book      INTEGER NOT NULL,
	reference TEXT NOT NULL,
	kind      TEXT NOT NULL,
	name      TEXT NOT NULL,
	PRIMARY KEY (book, reference)
) STRICT, WITHOUT ROWID;

CREATE TABLE kosh_lease (
	book   INTEGER NOT NULL,
	kind   TEXT NOT NULL,
	name   TEXT NOT NULL,
	token  BLOB NOT NULL,
	holder TEXT NOT NULL,
	until  INTEGER NOT NULL,
	PRIMARY KEY (book, kind, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE kosh_asset (
	book  INTEGER NOT NULL,
	asset TEXT NOT NULL,
	code  TEXT NOT NULL,
	name  TEXT NOT NULL,
	scale INTEGER NOT NULL,
	kind  INTEGER NOT NULL,
	PRIMARY KEY (book, asset)
) STRICT, WITHOUT ROWID;

-- Changes wait here, one row an entry, until the sequencer has numbered and sealed them.
CREATE TABLE kosh_pending (
	book        INTEGER NOT NULL,
	uuid        BLOB NOT NULL,
	recorded_at INTEGER NOT NULL,
	entry       INTEGER,
	changes     BLOB NOT NULL,
	PRIMARY KEY (book, uuid)
) STRICT, WITHOUT ROWID;
CREATE INDEX kosh_pending_time ON kosh_pending (book, recorded_at, uuid);

CREATE TABLE kosh_feed (
	book     INTEGER NOT NULL,
	position INTEGER NOT NULL,
	entry    INTEGER,
	change   BLOB NOT NULL,
	PRIMARY KEY (book, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE kosh_block (
	id        INTEGER PRIMARY KEY,
	book      INTEGER NOT NULL,
	number    INTEGER NOT NULL,
	first     INTEGER NOT NULL,
	last      INTEGER NOT NULL,
	sealed_at INTEGER NOT NULL,
	previous  BLOB NOT NULL,
	hash      BLOB NOT NULL,
	marks     BLOB
) STRICT;
CREATE UNIQUE INDEX kosh_block_number ON kosh_block (book, number);

CREATE TABLE kosh_sequence (
	book INTEGER NOT NULL,
	name TEXT NOT NULL,
	last INTEGER NOT NULL,
	PRIMARY KEY (book, name)
) STRICT, WITHOUT ROWID;
