-- purpose: constraints of tables and partitions as ALTER TABLE needs them; checks and foreign keys that come down from above are left out
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: schema_name (schema), table_name (table), name (constraint), kind (c check, p primary, u unique, x exclusion, f foreign key, n not null), definition (as SQL writes it, after the name), parent (name of the constraint above whose part it is; or null), columns (names, in order), other_schema (foreign key: schema of the table referred to; or null), other_name (its name; or null), comment (or empty)
-- source: PostgreSQL manual, pg_constraint, System Catalog Information Functions
SELECT
    n.nspname::text AS schema_name,
    c.relname::text AS table_name,
    con.conname::text AS name,
    con.contype::text AS kind,
    pg_get_constraintdef(con.oid) AS definition,
    above.conname::text AS parent,
    ARRAY(
        SELECT a.attname::text
        FROM unnest(con.conkey) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute AS a ON a.attrelid = con.conrelid AND a.attnum = k.number
        ORDER BY k.place
    ) AS columns,
    fn.nspname::text AS other_schema,
    f.relname::text AS other_name,
    coalesce(obj_description(con.oid, 'pg_constraint'), '') AS comment
FROM pg_constraint AS con
JOIN pg_class AS c ON c.oid = con.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS r ON r.oid = coalesce(pg_partition_root(c.oid), c.oid)
JOIN pg_namespace AS rn ON rn.oid = r.relnamespace
LEFT JOIN pg_constraint AS above ON above.oid = con.conparentid
LEFT JOIN pg_class AS f ON f.oid = con.confrelid
LEFT JOIN pg_namespace AS fn ON fn.oid = f.relnamespace
WHERE
    (n.nspname = ANY(%(schemas)s) OR rn.nspname = ANY(%(schemas)s))
    AND c.relkind IN ('r', 'p', 'f')
    AND (
        con.contype IN ('p', 'u', 'x', 'n')
        OR con.contype = 'f' AND con.conparentid = 0
        OR con.contype = 'c' AND NOT (c.relispartition AND con.coninhcount > 0)
    )
ORDER BY c.oid, con.contype, con.conname
