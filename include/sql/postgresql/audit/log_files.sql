-- purpose: tell the files of the server's log with their sizes
-- kind: read
-- engine: postgresql 14-19
-- privileges: pg_monitor, or EXECUTE on pg_ls_logdir
-- locks: none
-- licence: none
-- binds: none
-- columns: name (file), size_bytes (bytes), modified_at (time)
-- source: PostgreSQL manual, Generic File Access Functions
SELECT
    name,
    size AS size_bytes,
    modification AS modified_at
FROM pg_ls_logdir()
ORDER BY name
