-- purpose: the relations that hold the rows of the tables in scope, with their sizes: tables, and partitions at the lowest level
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: root_schema (of the table), root_table (its name), kind (r table, f foreign), schema_name (of the relation), name (relation), identity (oid and file node), pages (of its heap), total_bytes (heap and TOAST, without indexes), index_bytes (of all its indexes), estimated_rows (of the last statistics; -1: never gathered)
-- source: PostgreSQL manual, Partitioning Information Functions; Database Object Size Functions
SELECT
    rn.nspname::text AS root_schema,
    root.relname::text AS root_table,
    leaf.relkind::text AS kind,
    n.nspname::text AS schema_name,
    leaf.relname::text AS name,
    leaf.oid::text || ':' || leaf.relfilenode::text AS identity,
    coalesce(pg_relation_size(leaf.oid), 0) / current_setting('block_size')::bigint AS pages,
    coalesce(pg_table_size(leaf.oid), 0) AS total_bytes,
    coalesce(pg_indexes_size(leaf.oid), 0) AS index_bytes,
    leaf.reltuples::bigint AS estimated_rows
FROM pg_class AS root
JOIN pg_namespace AS rn ON rn.oid = root.relnamespace
CROSS JOIN LATERAL (
    SELECT root.oid AS relid WHERE root.relkind <> 'p'
    UNION
    SELECT tree.relid::oid FROM pg_partition_tree(root.oid) AS tree WHERE root.relkind = 'p' AND tree.isleaf
) AS part
JOIN pg_class AS leaf ON leaf.oid = part.relid AND leaf.relkind <> 'p'
JOIN pg_namespace AS n ON n.oid = leaf.relnamespace
WHERE
    rn.nspname = ANY(%(schemas)s)
    AND root.relkind IN ('r', 'p', 'f')
    AND NOT root.relispartition
ORDER BY rn.nspname, root.relname, n.nspname, leaf.relname
