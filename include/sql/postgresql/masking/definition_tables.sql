-- purpose: tables, partitioned tables and partitions as CREATE TABLE needs them; parents stand before their partitions
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: schema_name (schema), name (table), kind (r table, p partitioned, f foreign), parent_schema (of a partition: schema of the table above; or null), parent_name (its name; or null), root_schema (schema of the uppermost), root_name (its name), level (0: no partition), bound (as SQL writes it; or empty), division (what stands after PARTITION BY; or empty), method (access method other than heap; or empty), is_unlogged (unlogged), options (storage parameters, name=value), toast_options (those of its TOAST table), replica_identity (d default, n nothing, f full, i index), identity_index (of i; or null), is_inherited (parent or child by INHERITS), is_typed (CREATE TABLE OF), comment (or empty)
-- source: PostgreSQL manual, pg_class, pg_inherits, Partitioning Information Functions, pg_get_partkeydef
SELECT
    n.nspname::text AS schema_name,
    c.relname::text AS name,
    c.relkind::text AS kind,
    pn.nspname::text AS parent_schema,
    p.relname::text AS parent_name,
    rn.nspname::text AS root_schema,
    r.relname::text AS root_name,
    (SELECT count(*) FROM pg_partition_ancestors(c.oid) AS a WHERE a.relid <> c.oid)::integer AS level,
    coalesce(pg_get_expr(c.relpartbound, c.oid), '') AS bound,
    coalesce(pg_get_partkeydef(c.oid), '') AS division,
    CASE WHEN am.amname <> 'heap' THEN am.amname::text ELSE '' END AS method,
    c.relpersistence = 'u' AS is_unlogged,
    coalesce(c.reloptions, ARRAY[]::text[]) AS options,
    coalesce(t.reloptions, ARRAY[]::text[]) AS toast_options,
    c.relreplident::text AS replica_identity,
    x.relname::text AS identity_index,
    NOT c.relispartition AND EXISTS (
        SELECT 1 FROM pg_inherits AS h JOIN pg_class AS k ON k.oid = h.inhrelid WHERE c.oid IN (h.inhrelid, h.inhparent) AND NOT k.relispartition
    ) AS is_inherited,
    c.reloftype <> 0 AS is_typed,
    coalesce(obj_description(c.oid, 'pg_class'), '') AS comment
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS r ON r.oid = coalesce(pg_partition_root(c.oid), c.oid)
JOIN pg_namespace AS rn ON rn.oid = r.relnamespace
LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid AND c.relispartition
LEFT JOIN pg_class AS p ON p.oid = i.inhparent
LEFT JOIN pg_namespace AS pn ON pn.oid = p.relnamespace
LEFT JOIN pg_am AS am ON am.oid = c.relam
LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid
LEFT JOIN pg_index AS ri ON ri.indrelid = c.oid AND ri.indisreplident
LEFT JOIN pg_class AS x ON x.oid = ri.indexrelid
WHERE
    (n.nspname = ANY(%(schemas)s) OR rn.nspname = ANY(%(schemas)s))
    AND c.relkind IN ('r', 'p', 'f')
ORDER BY level, n.nspname, c.relname
