-- purpose: checks, keys, foreign keys and exclusions of the tables in scope; those that only a partition has are told of its root
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: table_oid (of the table or of the partition's root), name (constraint), kind (c check, p primary, u unique, f foreign key, x exclusion), columns (names, in order), expression (of a check; or empty),
--   definition (as SQL writes it), parent_schema (foreign key: schema; or null), parent_table (foreign key: root of the table; or null), parent_columns (names; or empty), match_full (foreign key: MATCH FULL), is_deferrable (deferrable), is_validated (holds
--   for old rows too), nulls_distinct (key: two NULLs differ), is_of_partition (only one partition has it)
-- source: PostgreSQL manual, pg_constraint, pg_index
SELECT
    coalesce(pg_partition_root(c.oid), c.oid)::oid::bigint AS table_oid,
    con.conname::text AS name,
    con.contype::text AS kind,
    ARRAY(
        SELECT a.attname::text
        FROM unnest(con.conkey) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute AS a ON a.attrelid = con.conrelid AND a.attnum = k.number
        ORDER BY k.place
    ) AS columns,
    coalesce(pg_get_expr(con.conbin, con.conrelid), '') AS expression,
    pg_get_constraintdef(con.oid) AS definition,
    pn.nspname::text AS parent_schema,
    pc.relname::text AS parent_table,
    ARRAY(
        SELECT a.attname::text
        FROM unnest(con.confkey) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute AS a ON a.attrelid = con.confrelid AND a.attnum = k.number
        ORDER BY k.place
    ) AS parent_columns,
    con.confmatchtype = 'f' AS match_full,
    con.condeferrable AS is_deferrable,
    con.convalidated AS is_validated,
    coalesce(to_jsonb(i) ->> 'indnullsnotdistinct', 'false') = 'false' AS nulls_distinct,
    c.relispartition AS is_of_partition
FROM pg_constraint AS con
JOIN pg_class AS c ON c.oid = con.conrelid
JOIN pg_class AS root ON root.oid = coalesce(pg_partition_root(c.oid), c.oid)
JOIN pg_namespace AS n ON n.oid = root.relnamespace
LEFT JOIN pg_index AS i ON i.indexrelid = con.conindid AND con.contype IN ('p', 'u')
LEFT JOIN pg_class AS pc ON pc.oid = coalesce(pg_partition_root(con.confrelid), con.confrelid)
LEFT JOIN pg_namespace AS pn ON pn.oid = pc.relnamespace
WHERE
    n.nspname = ANY(%(schemas)s)
    AND con.contype IN ('c', 'p', 'u', 'f', 'x')
    AND con.conparentid = 0
    AND NOT (c.relispartition AND con.contype = 'c' AND con.coninhcount > 0)
ORDER BY 1, con.contype, con.conname
