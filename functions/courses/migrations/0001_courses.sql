create table entities (
  id text collate "C" primary key,
  document jsonb not null,
  -- Not in the document: jsonb sorts keys, and attributes come back as they were sent.
  attributes json not null,
  version integer not null,
  -- The highest ts among the link tombstones that were collected: see shared/enrolment.
  floor bigint not null default 0,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- A page is read from an index whichever field it is sorted by or filtered with, so its cost does not grow with the table.
create index on entities (created_at, id);
create index on entities (((document->>'name') collate "C"), id);
create index on entities (((document->>'discipline') collate "C"), id);
create index on entities (((document->>'teacher') collate "C"), id);
create index on entities (((document->>'description') collate "C"), id);
create index on entities (((document->>'name') collate "C"), created_at, id);
create index on entities (((document->>'discipline') collate "C"), created_at, id);
create index on entities (((document->>'teacher') collate "C"), created_at, id);
create index on entities (((document->>'description') collate "C"), created_at, id);
create index on entities (((document->>'kind') collate "C"), created_at, id);

-- One register for each student that a course ever had enrolled: see shared/enrolment.
create table links (
  owner text collate "C" not null references entities on delete cascade,
  member text collate "C" not null,
  present boolean not null,
  ts bigint not null,
  origin text not null,
  reason text,
  primary key (owner, member)
);

create index on links (member, owner) where present;

create table outbox (
  id uuid primary key,
  entry json not null,
  created_at timestamptz not null default clock_timestamp(),
  sent_at timestamptz
);

create index on outbox (created_at) where sent_at is null;
create index on outbox (sent_at) where sent_at is not null;

create table tombstones (
  id text collate "C" primary key,
  deleted_at timestamptz not null default now()
);

create index on tombstones (deleted_at);

create table idempotency (
  key text primary key,
  payload text not null,
  answer text not null,
  created_at timestamptz not null default now()
);

create index on idempotency (created_at);
