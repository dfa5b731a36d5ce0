-- purpose: the sequences of the schemas in scope as CREATE SEQUENCE needs them, how far they are, and the columns that own them
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT or USAGE on a sequence, else its last value is not told
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: schema_name (schema), name (sequence), data_type (as SQL writes it), start (first value), increment (step), minimum (least), maximum (greatest), cache (values kept by a session), cycles (begins again), is_readable (the reader may see how far it is), last_value (newest value taken; null: none, or not readable), owner_schema (schema of the table whose column owns it; or null), owner_table (its name; or null), owner_column (or null), is_identity (made by an identity column), comment (or empty)
-- source: PostgreSQL manual, pg_sequence, pg_sequences, pg_depend
SELECT
    n.nspname::text AS schema_name,
    c.relname::text AS name,
    format_type(s.seqtypid, NULL) AS data_type,
    s.seqstart AS start,
    s.seqincrement AS increment,
    s.seqmin AS minimum,
    s.seqmax AS maximum,
    s.seqcache AS cache,
    s.seqcycle AS cycles,
    has_sequence_privilege(c.oid, 'SELECT,USAGE') AS is_readable,
    CASE WHEN has_sequence_privilege(c.oid, 'SELECT,USAGE') THEN pg_sequence_last_value(c.oid) END AS last_value,
    tn.nspname::text AS owner_schema,
    t.relname::text AS owner_table,
    a.attname::text AS owner_column,
    coalesce(d.deptype = 'i', false) AS is_identity,
    coalesce(obj_description(c.oid, 'pg_class'), '') AS comment
FROM pg_sequence AS s
JOIN pg_class AS c ON c.oid = s.seqrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_depend AS d
    ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
    AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
LEFT JOIN pg_class AS t ON t.oid = d.refobjid
LEFT JOIN pg_namespace AS tn ON tn.oid = t.relnamespace
LEFT JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE n.nspname = ANY(%(schemas)s)
    AND NOT EXISTS (SELECT 1 FROM pg_depend AS e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY n.nspname, c.relname
