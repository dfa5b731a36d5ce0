-- purpose: the sequences of the schemas in scope and the columns that own them; not their values
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: schema_name (schema), name (sequence), data_type (as SQL writes it), start_value (first), increment (step), minimum (least), maximum (greatest), cycles (begins again), cache_size (values kept by a session), owner_table_oid (table whose column owns it; or null), owner_column (or null), is_identity (made by an identity column)
-- source: PostgreSQL manual, pg_sequence, pg_depend
SELECT
    n.nspname::text AS schema_name,
    c.relname::text AS name,
    format_type(s.seqtypid, NULL) AS data_type,
    s.seqstart AS start_value,
    s.seqincrement AS increment,
    s.seqmin AS minimum,
    s.seqmax AS maximum,
    s.seqcycle AS cycles,
    s.seqcache AS cache_size,
    d.refobjid::bigint AS owner_table_oid,
    a.attname::text AS owner_column,
    coalesce(d.deptype = 'i', false) AS is_identity
FROM pg_sequence AS s
JOIN pg_class AS c ON c.oid = s.seqrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_depend AS d
    ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
    AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
LEFT JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE n.nspname = ANY(%(schemas)s)
ORDER BY n.nspname, c.relname
