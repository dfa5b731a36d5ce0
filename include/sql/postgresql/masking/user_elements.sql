-- purpose: arrays whose elements are of a type of the user, and columns of composite types: their bytes name types by numbers of their database
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: schema_name (schema), table_name (table), column_name (column), type (as SQL writes it), is_composite (true: a row type, or an array of one), element_schema (of the type of the elements; or null), element (its name; or null)
-- source: PostgreSQL manual, pg_type; source of the server, array_recv and record_recv
SELECT
    n.nspname::text AS schema_name,
    c.relname::text AS table_name,
    a.attname::text AS column_name,
    format_type(a.atttypid, a.atttypmod) AS type,
    t.typtype = 'c' OR coalesce(e.typtype = 'c', false) AS is_composite,
    en.nspname::text AS element_schema,
    e.typname::text AS element
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_type AS e ON e.oid = t.typelem AND t.typcategory = 'A'
LEFT JOIN pg_namespace AS en ON en.oid = e.typnamespace
WHERE
    n.nspname = ANY(%(schemas)s)
    AND c.relkind IN ('r', 'p', 'f')
    AND NOT c.relispartition
    AND (t.typtype = 'c' OR (e.oid IS NOT NULL AND en.nspname <> 'pg_catalog'))
ORDER BY n.nspname, c.relname, a.attnum
