-- Rows could be written through a view of one table alone, past version, outbox and cache, by who owns it or was granted
-- too much. One with a `with` takes no writes, and is planned as before.
create or replace view directory as
  with every as (select id, name, first_name, last_name, created_at, updated_at from entities)
  select id, name, first_name, last_name, created_at, updated_at from every;

create or replace view directory_enrolments as
  with present as (select owner, member, ts from links where links.present)
  select owner as student_id, member as course_id, to_timestamp(ts / 1000000.0) as since from present;
