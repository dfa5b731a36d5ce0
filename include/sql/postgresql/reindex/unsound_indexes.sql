-- purpose: list every invalid index of user schemas, and which of them look like a leftover of REINDEX CONCURRENTLY
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: index_oid (oid), schema (schema), name (index), is_leftover (named like one)
-- source: PostgreSQL manual, REINDEX, Rebuilding Indexes Concurrently; System Catalogs (pg_index)
SELECT
    c.oid::bigint AS index_oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    c.relname ~ '_cc(new|old)[0-9]*$' AND c.relkind = 'i' AS is_leftover
FROM
    pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    NOT i.indisvalid
    AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
    AND c.relpersistence <> 't'
ORDER BY c.oid
