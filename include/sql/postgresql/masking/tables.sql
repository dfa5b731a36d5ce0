-- purpose: the tables of the schemas in scope, partitions left out: they belong to their root
-- kind: read
-- engine: postgresql 14-19
-- privileges: none (the catalog is open; sizes need nothing either)
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: table_oid (pg_class.oid), schema_name (schema), name (table), kind (r table, p partitioned, f foreign), comment (or empty),
--   strategy (range, list, hash; empty: not partitioned), partition_columns (names, in order; null: an expression), has_row_security (rows may be hidden
--   from the reader), is_inherited (a parent or child by INHERITS), has_triggers (of users), estimated_rows (of the last statistics; -1: never gathered), total_bytes (heap, TOAST and indexes,
--   partitions included)
-- source: PostgreSQL manual, pg_class, pg_partitioned_table, pg_inherits
SELECT
    c.oid::bigint AS table_oid,
    n.nspname::text AS schema_name,
    c.relname::text AS name,
    c.relkind::text AS kind,
    coalesce(obj_description(c.oid, 'pg_class'), '') AS comment,
    coalesce(CASE p.partstrat WHEN 'r' THEN 'range' WHEN 'l' THEN 'list' WHEN 'h' THEN 'hash' END, '') AS strategy,
    ARRAY(
        SELECT a.attname::text
        FROM unnest(p.partattrs::smallint[]) WITH ORDINALITY AS k (number, place)
        LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number AND k.number > 0
        ORDER BY k.place
    ) AS partition_columns,
    c.relrowsecurity AS has_row_security,
    c.relkind = 'r' AND EXISTS (SELECT 1 FROM pg_inherits AS i WHERE c.oid IN (i.inhrelid, i.inhparent)) AS is_inherited,
    EXISTS (SELECT 1 FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) AS has_triggers,
    size.estimated_rows,
    size.total_bytes
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_partitioned_table AS p ON p.partrelid = c.oid
CROSS JOIN LATERAL (
    SELECT
        sum(CASE WHEN leaf.relkind = 'r' THEN leaf.reltuples ELSE 0 END)::bigint AS estimated_rows,
        sum(pg_total_relation_size(leaf.oid))::bigint AS total_bytes
    FROM (SELECT c.oid AS relid UNION SELECT tree.relid FROM pg_partition_tree(c.oid) AS tree) AS part
    JOIN pg_class AS leaf ON leaf.oid = part.relid
) AS size
WHERE
    n.nspname = ANY(%(schemas)s)
    AND c.relkind IN ('r', 'p', 'f')
    AND NOT c.relispartition
ORDER BY n.nspname, c.relname
