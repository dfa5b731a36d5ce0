-- purpose: tell since when a session waits for a lock, to measure how long our own statement stood in a queue
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: pid (process id of the session)
-- columns: waits_since (time; null: the wait has only just begun), waited_s (seconds)
-- source: PostgreSQL manual, System Views: pg_locks (waitstart)
SELECT
    waitstart AS waits_since,
    extract(epoch FROM clock_timestamp() - waitstart)::float8 AS waited_s
FROM pg_locks
WHERE pid = %(pid)s AND NOT granted
