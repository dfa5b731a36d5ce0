-- purpose: measure live and dead bytes of one table, reading only the pages that are not all visible
-- kind: read
-- engine: postgresql 14-19
-- privileges: pg_stat_scan_tables, extension pgstattuple
-- locks: ACCESS SHARE on the table, waited for no longer than told
-- licence: none
-- binds: table (oid), lock_wait (longest wait for the lock, with its unit)
-- columns: read_bytes (size of the main fork), live_bytes (of rows), live_rows (rows), dead_bytes (of dead rows), scanned_percent (share of the pages that were read)
-- source: PostgreSQL manual, pgstattuple
WITH patience AS MATERIALIZED (
    SELECT set_config('lock_timeout', %(lock_wait)s, true) AS lock_wait
)
SELECT found.table_len AS read_bytes, found.approx_tuple_len AS live_bytes, found.approx_tuple_count::bigint AS live_rows, found.dead_tuple_len AS dead_bytes, found.scanned_percent AS scanned_percent
FROM patience
JOIN pg_class AS c ON c.oid = %(table)s::oid AND patience.lock_wait <> ''
CROSS JOIN LATERAL pgstattuple_approx(c.oid::regclass) AS found
