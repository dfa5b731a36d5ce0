-- purpose: take the one lock for changes of this database, at once or not at all; it dies with the session
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: an advisory lock of the session
-- licence: none
-- binds: key (64-bit number, drydock.ledger.connect.lock_key)
-- columns: is_taken (true: held by this session now)
-- source: PostgreSQL manual, Explicit Locking: Advisory Locks
SELECT pg_try_advisory_lock(%(key)s::bigint) AS is_taken
