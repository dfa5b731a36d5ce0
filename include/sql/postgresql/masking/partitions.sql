-- purpose: the partitions of the tables in scope, at every level, with their bounds
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: table_oid (of the root), schema_name (schema of the partition), name (partition), parent (name of the table just above), level (1: below the root), is_leaf (holds rows), bound (as SQL writes it), is_default (takes what fits nowhere else), strategy (of a
--   partition that is divided again; or empty), partition_columns (of such a partition, in order; null: an expression)
-- source: PostgreSQL manual, Partitioning Information Functions, pg_partitioned_table
SELECT
    root.oid::bigint AS table_oid,
    n.nspname::text AS schema_name,
    c.relname::text AS name,
    above.relname::text AS parent,
    tree.level::integer AS level,
    tree.isleaf AS is_leaf,
    coalesce(pg_get_expr(c.relpartbound, c.oid), '') AS bound,
    coalesce(pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT', false) AS is_default,
    coalesce(CASE p.partstrat WHEN 'r' THEN 'range' WHEN 'l' THEN 'list' WHEN 'h' THEN 'hash' END, '') AS strategy,
    ARRAY(
        SELECT a.attname::text
        FROM unnest(p.partattrs::smallint[]) WITH ORDINALITY AS k (number, place)
        LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number AND k.number > 0
        ORDER BY k.place
    ) AS partition_columns
FROM pg_class AS root
JOIN pg_namespace AS rn ON rn.oid = root.relnamespace
CROSS JOIN LATERAL pg_partition_tree(root.oid) AS tree
JOIN pg_class AS c ON c.oid = tree.relid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS above ON above.oid = tree.parentrelid
LEFT JOIN pg_partitioned_table AS p ON p.partrelid = c.oid
WHERE
    rn.nspname = ANY(%(schemas)s)
    AND root.relkind = 'p'
    AND NOT root.relispartition
    AND tree.level > 0
ORDER BY root.oid, tree.level, c.relname
