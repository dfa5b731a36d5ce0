-- purpose: list every table and partition of the user schemas with its size and what the statistics say of it
-- kind: read
-- engine: postgresql 14-19
-- privileges: pg_read_all_stats for the counters; pg_stats shows the widths of tables that the account may read
-- locks: none
-- licence: none
-- binds: none
-- columns: table_oid (oid), filenode (relfilenode), schema (schema), name (name), parent_schema (schema of the partitioned table), parent (partitioned table; empty: none), kind (r, p, f, m), persistence (p, u, t), is_partition (true for a partition), access_method (heap), heap_bytes (main fork), toast_bytes (main fork of its TOAST table), indexes_bytes (all indexes), total_bytes (all of it), toast_oid (its TOAST table; 0: none), table_rows (reltuples; -1: never counted), fillfactor (percent), live_rows (counter), dead_rows (counter), inserted_since_vacuum (rows that came in since the last vacuum), scans (whole reads, counter), last_vacuum_at (time), last_analyze_at (time), row_bytes (average width by the statistics; null: not told), is_of_extension (belongs to an extension), is_ours (we hold the rights of its owner), has_identity_index (its rows are told apart by the index that REPACK (CONCURRENTLY) asks for)
-- source: PostgreSQL manual, pg_class; The Cumulative Statistics System; REPACK (19)
SELECT
    c.oid AS table_oid,
    c.relfilenode AS filenode,
    n.nspname AS schema,
    c.relname AS name,
    coalesce(pn.nspname, '') AS parent_schema,
    coalesce(p.relname, '') AS parent,
    c.relkind::text AS kind,
    c.relpersistence::text AS persistence,
    c.relispartition AS is_partition,
    coalesce(m.amname, '') AS access_method,
    CASE WHEN c.relkind IN ('p', 'f') THEN 0 ELSE pg_relation_size(c.oid) END AS heap_bytes,
    CASE WHEN c.reltoastrelid = 0 THEN 0 ELSE pg_relation_size(c.reltoastrelid) END AS toast_bytes,
    CASE WHEN c.relkind IN ('p', 'f') THEN 0 ELSE pg_indexes_size(c.oid) END AS indexes_bytes,
    CASE WHEN c.relkind IN ('p', 'f') THEN 0 ELSE pg_total_relation_size(c.oid) END AS total_bytes,
    c.reltoastrelid AS toast_oid,
    c.reltuples::float8 AS table_rows,
    coalesce((SELECT option_value::int FROM pg_options_to_table(c.reloptions) WHERE option_name = 'fillfactor'), 100) AS fillfactor,
    coalesce(s.n_live_tup, 0) AS live_rows,
    coalesce(s.n_dead_tup, 0) AS dead_rows,
    coalesce(s.n_ins_since_vacuum, 0) AS inserted_since_vacuum,
    coalesce(s.seq_scan, 0) AS scans,
    greatest(s.last_vacuum, s.last_autovacuum) AS last_vacuum_at,
    greatest(s.last_analyze, s.last_autoanalyze) AS last_analyze_at,
    (
        SELECT sum(w.avg_width * (1 - w.null_frac))::float8 FROM pg_stats AS w
        WHERE w.schemaname = n.nspname AND w.tablename = c.relname AND NOT w.inherited
    ) AS row_bytes,
    EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    ) AS is_of_extension,
    pg_has_role(c.relowner, 'USAGE') AS is_ours,
    -- a replica identity that is an index: the one that was chosen, else a primary key that is not deferrable; never FULL or NOTHING
    EXISTS (
        SELECT FROM pg_index AS x
        WHERE x.indrelid = c.oid AND x.indisvalid
            AND CASE c.relreplident WHEN 'i' THEN x.indisreplident WHEN 'd' THEN x.indisprimary AND x.indimmediate END
    ) AND NOT coalesce(
        (SELECT option_value::boolean FROM pg_options_to_table(c.reloptions) WHERE option_name = 'user_catalog_table'), false
    ) AS has_identity_index
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_am AS m ON m.oid = c.relam
LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid AND c.relispartition
LEFT JOIN pg_class AS p ON p.oid = i.inhparent
LEFT JOIN pg_namespace AS pn ON pn.oid = p.relnamespace
LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'p', 'f', 'm')
    AND n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('information_schema', 'drydock_reclaim', 'drydock_reclaim_new')
    AND NOT pg_is_other_temp_schema(n.oid)
ORDER BY total_bytes DESC, c.oid
