-- purpose: tell changes of this database that masking reads it; the lock dies with the session
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: a shared advisory lock of the session
-- licence: none
-- binds: key (64-bit number, drydock.ledger.connect.lock_key)
-- columns: is_held (always true)
-- source: PostgreSQL manual, Explicit Locking: Advisory Locks
SELECT pg_advisory_lock_shared(%(key)s::bigint) IS NOT NULL AS is_held
