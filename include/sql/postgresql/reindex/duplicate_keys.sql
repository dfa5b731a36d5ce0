-- purpose: count the keys that stand more than once in the table of a unique index; the keys themselves are never returned
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the table
-- locks: ACCESS SHARE on the table, waited for no longer than told
-- licence: none
-- binds: schema (schema), name (the unique index), lock_wait (longest wait for the lock, with its unit)
-- columns: duplicate_keys (keys that stand there more than once; no row: an index on expressions or with WHERE, not counted)
-- source: PostgreSQL manual, Text Search Functions (ts_stat: of what every server has, the one function that runs a query given as text)
WITH
patience AS MATERIALIZED (
    SELECT set_config('lock_timeout', %(lock_wait)s, true) AS lock_wait
)
SELECT counted.word::bigint AS duplicate_keys
FROM
    patience
    CROSS JOIN pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_index AS i ON i.indexrelid = c.oid
    JOIN pg_class AS t ON t.oid = i.indrelid
    CROSS JOIN LATERAL (
        SELECT
            string_agg(quote_ident(a.attname), ', ' ORDER BY k) AS names,
            string_agg(quote_ident(a.attname) || ' IS NOT NULL', ' AND ' ORDER BY k) AS are_known
        FROM generate_series(0, i.indnkeyatts - 1) AS k JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = i.indkey[k]
    ) AS columns
    CROSS JOIN LATERAL ts_stat(
        format(
            CASE WHEN patience.lock_wait <> '' THEN 'SELECT array_to_tsvector(ARRAY[count(*)::text]) FROM (SELECT FROM ONLY %%I.%%I WHERE %%s GROUP BY %%s HAVING count(*) > 1) AS d' END,
            n.nspname,
            t.relname,
            CASE WHEN to_jsonb(i) ->> 'indnullsnotdistinct' = 'true' THEN 'true' ELSE columns.are_known END,
            columns.names
        )
    ) AS counted
WHERE
    n.nspname = %(schema)s
    AND c.relname = %(name)s
    AND i.indisunique
    -- expressions and predicates are code of the table's owner: it is not run with the rights of this account
    AND i.indexprs IS NULL
    AND i.indpred IS NULL
