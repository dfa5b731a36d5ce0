-- purpose: the columns of tables and partitions as CREATE TABLE and ALTER TABLE need them
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: schema_name (schema), table_name (table), name (column), type (as SQL writes it), family (pg_type.typcategory), not_null (refuses NULL), default_expression (or empty; of a generated column its expression), generated (empty, stored, virtual), identity (empty, always, by default), collation (other than the type's, as SQL writes it; or empty), storage (other than the type's; or empty), compression (pglz, lz4; or empty), target (statistics target; -1: the server's), options (n_distinct, ... as name=value), uses (schema and name of sequences that the default calls), comment (or empty)
-- source: PostgreSQL manual, pg_attribute, pg_attrdef, pg_type, pg_depend
SELECT
    n.nspname::text AS schema_name,
    c.relname::text AS table_name,
    a.attname::text AS name,
    format_type(a.atttypid, a.atttypmod) AS type,
    t.typcategory::text AS family,
    a.attnotnull AS not_null,
    coalesce(pg_get_expr(d.adbin, d.adrelid), '') AS default_expression,
    CASE a.attgenerated WHEN 's' THEN 'stored' WHEN 'v' THEN 'virtual' ELSE '' END AS generated,
    CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' ELSE '' END AS identity,
    CASE WHEN a.attcollation <> t.typcollation THEN quote_ident(ln.nspname) || '.' || quote_ident(l.collname) ELSE '' END AS collation,
    CASE WHEN a.attstorage = t.typstorage THEN ''
        ELSE CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'x' THEN 'EXTENDED' WHEN 'm' THEN 'MAIN' ELSE '' END
    END AS storage,
    CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' ELSE '' END AS compression,
    coalesce(a.attstattarget, -1)::integer AS target,
    coalesce(a.attoptions, ARRAY[]::text[]) AS options,
    ARRAY(
        SELECT ARRAY[sn.nspname::text, s.relname::text]
        FROM pg_depend AS u
        JOIN pg_class AS s ON s.oid = u.refobjid AND s.relkind = 'S'
        JOIN pg_namespace AS sn ON sn.oid = s.relnamespace
        WHERE u.classid = 'pg_attrdef'::regclass AND u.objid = d.oid AND u.refclassid = 'pg_class'::regclass
        ORDER BY 1
    ) AS uses,
    coalesce(col_description(c.oid, a.attnum), '') AS comment
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS r ON r.oid = coalesce(pg_partition_root(c.oid), c.oid)
JOIN pg_namespace AS rn ON rn.oid = r.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
LEFT JOIN pg_namespace AS ln ON ln.oid = l.collnamespace
WHERE
    (n.nspname = ANY(%(schemas)s) OR rn.nspname = ANY(%(schemas)s))
    AND c.relkind IN ('r', 'p', 'f')
ORDER BY c.oid, a.attnum
