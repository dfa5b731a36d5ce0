-- purpose: indexes of tables and partitions as CREATE INDEX needs them; an index that was never finished is left out
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: schema_name (schema of table and index), table_name (table), name (index), is_unique (unique), definition (as SQL writes it), parent (name of the index above whose part it is; or null), constraint_name (the constraint that made it; or null), is_clustered (the order of CLUSTER), targets (number of a column and its statistics target), comment (or empty)
-- source: PostgreSQL manual, pg_index, pg_inherits, System Catalog Information Functions
SELECT
    n.nspname::text AS schema_name,
    c.relname::text AS table_name,
    x.relname::text AS name,
    i.indisunique AS is_unique,
    pg_get_indexdef(i.indexrelid) AS definition,
    above.relname::text AS parent,
    (
        SELECT con.conname::text FROM pg_constraint AS con
        WHERE con.conindid = i.indexrelid AND con.conrelid = c.oid AND con.contype IN ('p', 'u', 'x')
    ) AS constraint_name,
    i.indisclustered AS is_clustered,
    ARRAY(
        SELECT ARRAY[a.attnum::integer, a.attstattarget::integer]
        FROM pg_attribute AS a
        WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0
        ORDER BY a.attnum
    ) AS targets,
    coalesce(obj_description(x.oid, 'pg_class'), '') AS comment
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indrelid
JOIN pg_class AS x ON x.oid = i.indexrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS r ON r.oid = coalesce(pg_partition_root(c.oid), c.oid)
JOIN pg_namespace AS rn ON rn.oid = r.relnamespace
LEFT JOIN pg_inherits AS h ON h.inhrelid = i.indexrelid
LEFT JOIN pg_class AS above ON above.oid = h.inhparent
WHERE
    (n.nspname = ANY(%(schemas)s) OR rn.nspname = ANY(%(schemas)s))
    AND c.relkind IN ('r', 'p', 'f')
    AND (i.indisvalid OR x.relkind = 'I')
ORDER BY c.oid, x.relname
