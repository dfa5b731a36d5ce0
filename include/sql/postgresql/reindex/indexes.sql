-- purpose: list every index of user schemas with all that decides whether it is worth rebuilding, duplicates another, or is used
-- kind: read
-- engine: postgresql 14-19
-- privileges: pg_read_all_stats for the counters
-- locks: ACCESS SHARE on each index and table for a moment, where nobody holds it alone; waited for no longer than told
-- licence: none
-- binds: lock_wait (longest wait for a lock, with its unit)
-- columns: index_oid (oid), index_schema (schema, also of the table), index_name (name), name_bytes (length of the name on the server), table_name (its table), table_oid (oid of the table), identity (oid:relfilenode), is_parent (index of a partitioned table: no pages of its own), is_partition (belongs to such an index), method (access method), is_valid (indisvalid), is_unique (unique), is_primary (primary key), is_exclusion (exclusion constraint), has_constraint (belongs to a constraint), is_replica_identity (identifies rows for replication), index_bytes (size), table_bytes (heap, as of its last VACUUM or ANALYZE), table_rows (estimate; -1: not known), fillfactor (percent), key_columns (each key column with operator class, collation and order), other_columns (INCLUDE), predicate (WHERE of a partial index), is_rising (new keys go to the right end; null: not known), scans (index scans), last_scan_at (from 16), inserts (rows since counters count), deletes (rows), updates (rows), live_rows (estimate), dead_rows (estimate), last_vacuum_at (also by autovacuum), is_locked (index or table is held alone by somebody), is_busy (somebody builds, rebuilds or drops it now)
-- source: PostgreSQL manual, System Catalogs (pg_index, pg_class), pg_stat_all_indexes, pg_stat_all_tables, pg_stats, pg_locks
WITH
patience AS MATERIALIZED (
    SELECT set_config('lock_timeout', %(lock_wait)s, true) AS lock_wait
),
here AS (
    SELECT oid FROM pg_database WHERE datname = current_database()
),
held AS (
    SELECT
        relation,
        bool_or(mode = 'AccessExclusiveLock') AS is_alone,
        bool_or(mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')) AS is_strong
    FROM pg_locks JOIN here ON here.oid = pg_locks.database
    WHERE locktype = 'relation' AND granted AND pid IS DISTINCT FROM pg_backend_pid()
    GROUP BY relation
),
built AS (
    SELECT DISTINCT progress.relid FROM pg_stat_progress_create_index AS progress JOIN here ON here.oid = progress.datid
)
SELECT
    c.oid::bigint AS index_oid,
    n.nspname::text AS index_schema,
    c.relname::text AS index_name,
    octet_length(c.relname::text) AS name_bytes,
    t.relname::text AS table_name,
    t.oid::bigint AS table_oid,
    c.oid::text || ':' || c.relfilenode::text AS identity,
    c.relkind = 'I' AS is_parent,
    c.relispartition AS is_partition,
    am.amname::text AS method,
    i.indisvalid AS is_valid,
    i.indisunique AS is_unique,
    i.indisprimary AS is_primary,
    i.indisexclusion AS is_exclusion,
    EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = c.oid AND k.conrelid = t.oid) AS has_constraint,
    i.indisreplident AS is_replica_identity,
    CASE
        WHEN c.relkind = 'I' THEN 0
        WHEN here_alone.is_alone THEN c.relpages::bigint * current_setting('block_size')::int
        ELSE coalesce(pg_relation_size(c.oid), 0)
    END AS index_bytes,
    greatest(t.relpages, 0)::bigint * current_setting('block_size')::int AS table_bytes,
    t.reltuples::bigint AS table_rows,
    coalesce((SELECT o.option_value::int FROM pg_options_to_table(c.reloptions) AS o WHERE o.option_name = 'fillfactor'), 90) AS fillfactor,
    ARRAY(
        SELECT
            CASE WHEN i.indkey[k] = 0 AND NOT here_alone.is_alone THEN pg_get_indexdef(c.oid, k + 1, false) ELSE i.indkey[k]::text END
            || ' ' || i.indclass[k] || ' ' || i.indcollation[k] || ' ' || i.indoption[k]
        FROM generate_series(0, i.indnkeyatts - 1) AS k
        ORDER BY k
    ) AS key_columns,
    ARRAY(SELECT i.indkey[k]::text FROM generate_series(i.indnkeyatts::int, i.indnatts - 1) AS k ORDER BY 1) AS other_columns,
    CASE WHEN i.indpred IS NULL THEN '' WHEN here_alone.is_alone THEN c.oid::text ELSE pg_get_expr(i.indpred, i.indrelid) END AS predicate,
    CASE
        WHEN i.indkey[0] = 0 OR here_alone.is_alone THEN NULL
        WHEN a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%%' THEN true
        ELSE (
            SELECT s.correlation >= 0.95
            FROM pg_stats AS s
            WHERE s.schemaname = n.nspname AND s.tablename = t.relname AND s.attname = a.attname AND NOT s.inherited
        )
    END AS is_rising,
    coalesce(used.idx_scan, 0) AS scans,
    (to_jsonb(used) ->> 'last_idx_scan')::timestamptz AS last_scan_at,
    coalesce(rows_of.n_tup_ins, 0) AS inserts,
    coalesce(rows_of.n_tup_del, 0) AS deletes,
    coalesce(rows_of.n_tup_upd, 0) AS updates,
    coalesce(rows_of.n_live_tup, 0) AS live_rows,
    coalesce(rows_of.n_dead_tup, 0) AS dead_rows,
    greatest(rows_of.last_vacuum, rows_of.last_autovacuum) AS last_vacuum_at,
    here_alone.is_alone AS is_locked,
    -- a build of somebody holds the table against DDL all the time, its new index only now and then
    coalesce(on_index.is_strong, false) OR built.relid IS NOT NULL AS is_busy
FROM
    patience
    JOIN pg_index AS i ON patience.lock_wait <> ''
    JOIN pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_class AS t ON t.oid = i.indrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_am AS am ON am.oid = c.relam
    LEFT JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
    LEFT JOIN pg_attrdef AS d ON d.adrelid = t.oid AND d.adnum = a.attnum
    LEFT JOIN pg_stat_all_indexes AS used ON used.indexrelid = c.oid
    LEFT JOIN pg_stat_all_tables AS rows_of ON rows_of.relid = t.oid
    LEFT JOIN held AS on_index ON on_index.relation = c.oid
    LEFT JOIN held AS on_table ON on_table.relation = t.oid
    -- sizes and expressions of what somebody holds alone would be waited for
    CROSS JOIN LATERAL (SELECT coalesce(on_index.is_alone, false) OR coalesce(on_table.is_alone, false) AS is_alone) AS here_alone
    LEFT JOIN built ON built.relid = t.oid
WHERE
    n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
    AND c.relpersistence <> 't'
ORDER BY n.nspname, c.relname
