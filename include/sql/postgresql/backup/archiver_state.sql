-- purpose: tell how the server itself says that its log archiving goes
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: mode (archive_mode: off, on, always), timeout_s (archive_timeout in seconds, 0: none), archived_count (segments), failed_count (tries), last_archived (file name), last_archived_at (time), last_failed (file name), last_failed_at (time)
-- source: PostgreSQL manual, The Cumulative Statistics System (pg_stat_archiver), Archiving
SELECT
    current_setting('archive_mode') AS mode,
    extract(epoch FROM current_setting('archive_timeout')::interval)::int AS timeout_s,
    archived_count,
    failed_count,
    coalesce(last_archived_wal, '') AS last_archived,
    last_archived_time AS last_archived_at,
    coalesce(last_failed_wal, '') AS last_failed,
    last_failed_time AS last_failed_at
FROM pg_stat_archiver
