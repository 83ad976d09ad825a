-- The tables of a ledger. Run with the schema that is to hold them first in search_path; Migrate does.
--
-- Every key and every index begins with book, so that the tables can be distributed by it. Text is compared by bytes.
-- Amounts are whole numbers of smallest units. What only the ledger reads (receipts, postings, changes) is packed into bytea.

create table asset (
	book text collate "C" not null,
	id text collate "C" not null,
	code text not null,
	name text not null,
	scale smallint not null,
	kind smallint not null,
	primary key (book, id)
);

-- Small and updated in place: nothing in it is indexed but its identity, so that updates stay on their page.
create table account (
	book text collate "C" not null,
	id bigint not null,
	version bigint not null, -- number of lines
	posted numeric not null,
	held numeric not null,
	next_expiry timestamptz,
	updated_at timestamptz not null,
	revision bigint not null, -- of account_terms
	primary key (book, id)
) with (fillfactor = 70);

create table account_terms (
	book text collate "C" not null,
	id bigint not null,
	revision bigint not null, -- begins anywhere and counts changes, so that a process knows when what it remembers is old
	path text collate "C" not null,
	asset text collate "C" not null,
	type smallint not null, -- 1 asset, 2 liability, 3 equity, 4 income, 5 expense
	owner text collate "C" not null,
	floor numeric,
	ceiling numeric,
	flags smallint not null, -- 1 debits frozen, 2 credits frozen, 4 closed
	opening_floor numeric,
	opening_ceiling numeric,
	opening_flags smallint not null,
	opened_at timestamptz not null,
	primary key (book, path, asset)
);
create unique index account_terms_id on account_terms (book, id);
create index account_terms_owner on account_terms (book, owner, path, asset) where owner <> '';

-- Account numbers are taken in blocks; gaps are harmless.
create sequence account_number as bigint increment by 64;

-- The lines of accounts. rest holds what few lines have: a hold, terms, another effective time.
create table entry (
	account bigint not null,
	version bigint not null,
	recorded_at timestamptz not null,
	transaction uuid not null, -- all zeros: none
	kind smallint not null, -- 1 opened, 2 posted, 3 held, 4 captured, 5 released, 6 expired, 7 set
	side smallint not null, -- 1 debit, 2 credit, 0 neither
	book text collate "C" not null,
	amount numeric,
	posted numeric not null,
	held numeric not null,
	rest bytea not null,
	primary key (book, account, version)
);

-- One row for a key together with the first transaction of its entry; further transactions have rows of their own.
create table tx (
	id uuid not null, -- of the transaction, else of the entry
	recorded_at timestamptz not null,
	keyed boolean not null, -- this row is that of the key
	moved boolean not null, -- this row has a transaction
	book text collate "C" not null,
	key text collate "C" not null,
	inputs bytea not null,
	receipt bytea not null,
	body bytea not null,
	primary key (book, id)
);
create unique index tx_key on tx (book, key) where keyed;
-- Without the id: those of a batch share their time, so the index keeps them in one entry, and a page sorts them.
create index tx_recorded on tx (book, recorded_at) where moved;

create table hold (
	book text collate "C" not null,
	id uuid not null,
	account bigint not null,
	state smallint not null, -- 1 open, 2 captured, 3 released, 4 expired
	amount numeric not null,
	captured numeric not null,
	released numeric not null,
	placed_at timestamptz not null,
	expires_at timestamptz,
	updated_at timestamptz not null,
	key text collate "C" not null,
	note text not null, -- JSON
	primary key (book, id)
);
create index hold_placed on hold (book, placed_at, id);
create index hold_due on hold (book, expires_at, id) where state = 1 and expires_at is not null;
create index hold_open on hold (book, account, placed_at, id) where state = 1;
create index hold_open_due on hold (book, account, expires_at) where state = 1 and expires_at is not null;

create table document (
	book text collate "C" not null,
	kind text collate "C" not null,
	id text collate "C" not null,
	version bigint not null,
	owner text collate "C" not null,
	state text collate "C" not null,
	due timestamptz,
	lane text collate "C" not null,
	refs text not null, -- JSON
	schema integer not null,
	body bytea not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	erasure text not null, -- JSON
	primary key (book, kind, id)
);
create index document_created on document (book, created_at, kind, id);
create index document_kind on document (book, kind, created_at, id);
create index document_owner on document (book, owner, created_at, kind, id) where owner <> '';
create index document_due on document (book, due, kind, id) where due is not null;

create table version (
	book text collate "C" not null,
	kind text collate "C" not null,
	id text collate "C" not null,
	version bigint not null,
	owner text collate "C" not null,
	state text collate "C" not null,
	due timestamptz,
	lane text collate "C" not null,
	refs text not null,
	schema integer not null,
	body bytea not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	erasure text not null,
	primary key (book, kind, id, version)
);

create table reference (
	book text collate "C" not null,
	reference text collate "C" not null,
	kind text collate "C" not null,
	id text collate "C" not null,
	primary key (book, reference)
);

create table lease (
	book text collate "C" not null,
	kind text collate "C" not null,
	id text collate "C" not null,
	token uuid not null,
	holder text not null,
	until timestamptz not null,
	primary key (book, kind, id)
);

-- Changes that have no place in the feed yet, one row an entry.
create table pending (
	recorded_at timestamptz not null,
	entry uuid not null,
	book text collate "C" not null,
	changes bytea not null,
	primary key (book, entry)
);
create index pending_recorded on pending (book, recorded_at);

-- The feed, some dozen changes a row.
create table feed (
	first bigint not null,
	last bigint not null,
	book text collate "C" not null,
	changes bytea not null,
	primary key (book, first)
);

create table block (
	number bigint not null,
	first bigint not null,
	last bigint not null,
	sealed_at timestamptz not null,
	book text collate "C" not null,
	previous bytea not null,
	hash bytea not null,
	marks bytea not null,
	primary key (book, number)
);

create table counter (
	last bigint not null,
	book text collate "C" not null,
	name text collate "C" not null,
	primary key (book, name)
);
