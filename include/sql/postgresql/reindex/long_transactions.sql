-- purpose: count the transactions that a rebuild beside the work of others would wait for, and that have been open for a while
-- kind: read
-- engine: postgresql 14-19
-- privileges: pg_read_all_stats
-- locks: none
-- licence: none
-- binds: table_oid (table of the index), open_for_s (open for at least this long)
-- columns: transactions (how many), longest_s (the oldest of them)
-- source: PostgreSQL manual, REINDEX, Rebuilding Indexes Concurrently; pg_stat_activity; pg_prepared_xacts
WITH holders AS (
    SELECT DISTINCT l.pid
    FROM pg_locks AS l
    WHERE
        l.locktype = 'relation' AND l.granted AND l.relation = %(table_oid)s
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
),
open AS (
    SELECT extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS open_s
    FROM pg_stat_activity AS a
    WHERE
        a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend'
        AND (a.backend_xmin IS NOT NULL OR a.pid IN (SELECT pid FROM holders))
    UNION ALL
    -- a prepared transaction has no session, and may stay for ever
    SELECT extract(epoch FROM clock_timestamp() - p.prepared)::float8
    FROM pg_prepared_xacts AS p
    WHERE p.database = current_database() AND EXISTS (SELECT FROM holders WHERE pid IS NULL)
)
SELECT count(*)::int AS transactions, coalesce(max(open_s), 0) AS longest_s
FROM open
WHERE open_s >= %(open_for_s)s
