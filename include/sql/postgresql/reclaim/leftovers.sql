-- purpose: find what a copy left behind: our schemas, what lies in them, and our trigger on a table
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: has_machinery (schema drydock_reclaim exists), has_room (schema drydock_reclaim_new exists), has_state (the table of the state exists), has_pending (the list of keys to check exists), has_log (the log of changed keys exists), shadows (copies), old_tables (tables that a copy has replaced), triggers (tables in use with our trigger; the old table that a copy replaced is none)
-- source: PostgreSQL manual, pg_class; pg_trigger
SELECT
    to_regnamespace('drydock_reclaim') IS NOT NULL AS has_machinery,
    to_regnamespace('drydock_reclaim_new') IS NOT NULL AS has_room,
    to_regclass('drydock_reclaim.drydock_state') IS NOT NULL AS has_state,
    to_regclass('drydock_reclaim.drydock_pending') IS NOT NULL AS has_pending,
    to_regclass('drydock_reclaim.drydock_changes') IS NOT NULL AS has_log,
    (
        SELECT count(*) FROM pg_class AS c
        WHERE c.relnamespace = to_regnamespace('drydock_reclaim_new') AND c.relkind = 'r'
    ) AS shadows,
    (
        SELECT count(*) FROM pg_class AS c
        WHERE c.relnamespace = to_regnamespace('drydock_reclaim') AND c.relkind = 'r'
            AND c.relname NOT IN ('drydock_state', 'drydock_pending', 'drydock_changes', 'drydock_violated')
    ) AS old_tables,
    (
        SELECT count(*) FROM pg_trigger AS t
        JOIN pg_proc AS f ON f.oid = t.tgfoid
        JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE t.tgname = 'drydock_note' AND f.pronamespace = to_regnamespace('drydock_reclaim') AND c.relnamespace <> f.pronamespace
    ) AS triggers
