-- purpose: list the table that a copy has replaced, and whether someone may still hang something on it; only while there is a copy
-- kind: read
-- engine: postgresql 15-19
-- privileges: made the schema drydock_reclaim
-- locks: none
-- licence: none
-- binds: none
-- columns: name (table), open_transactions (transactions that changed something and began before the take-over was done: what they make of the table's row type takes no lock on it and is not seen yet)
-- source: PostgreSQL manual, pg_locks; Dependency Tracking
SELECT
    c.relname AS name,
    (
        SELECT count(*) FROM pg_locks AS l
        LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
        LEFT JOIN pg_prepared_xacts AS x ON l.pid IS NULL AND x.transaction = l.transactionid
        WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
            AND coalesce(a.datname, x.database) = current_database() AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
            AND age(l.transactionid) >= age(s.drained::xid)
    ) AS open_transactions
FROM pg_class AS c
CROSS JOIN drydock_reclaim.drydock_state AS s
WHERE c.relnamespace = to_regnamespace('drydock_reclaim') AND c.relkind = 'r'
    AND c.relname NOT IN ('drydock_state', 'drydock_pending', 'drydock_changes', 'drydock_violated')
