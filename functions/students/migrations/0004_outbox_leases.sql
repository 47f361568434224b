-- Who sweeps an entry has it for itself until then, and tells it outside of any transaction: the broker and the cache may be
-- slow, and must not keep a connection.
alter table outbox add column leased_until timestamptz;
