create table entities (
  id uuid primary key,
  name text collate "C" not null,
  first_name text collate "C" not null,
  last_name text collate "C" not null,
  version integer not null,
  -- The highest ts among the link tombstones that were collected: see shared/enrolment.
  floor bigint not null default 0,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint entities_names_unique unique (name, first_name, last_name)
);

-- A page is read from an index whichever field it is sorted by or filtered with, so its cost does not grow with the table.
create index on entities (created_at, id);
create index on entities (name, id);
create index on entities (first_name, id);
create index on entities (last_name, id);
create index on entities (name, created_at, id);
create index on entities (first_name, created_at, id);
create index on entities (last_name, created_at, id);

-- One register for each course that a student ever was enrolled in: see shared/enrolment.
create table links (
  owner uuid not null references entities on delete cascade,
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
  id uuid primary key,
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

-- For other services, which may join their own tables (roles, organizations) with students: read only, and stable.
create view directory as
  select id, name, first_name, last_name, created_at, updated_at from entities;

create view directory_enrolments as
  select owner as student_id, member as course_id, to_timestamp(ts / 1000000.0) as since from links where present;

comment on view directory is 'Students, for other services to join; columns are only ever added';
comment on view directory_enrolments is 'Courses of students, for other services to join; columns are only ever added';
