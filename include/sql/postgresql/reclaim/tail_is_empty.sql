-- purpose: tell whether the pages of a table from one page on hold no row that anybody sees
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the table
-- locks: ACCESS SHARE on the table
-- licence: none
-- binds: table (oid), page (first page)
-- columns: is_empty (true: nothing from that page on)
-- source: PostgreSQL manual, Text Search Functions (ts_stat: a question with names that the server quotes itself); System Columns (ctid)
SELECT NOT EXISTS (
    -- ts_stat asks the question that it is given; nothing else that only reads can ask one whose table is known by oid alone
    SELECT FROM ts_stat(
        format('SELECT to_tsvector(''simple'', ''x'') FROM ONLY %%I.%%I WHERE ctid >= %%L::tid LIMIT 1',
            n.nspname, c.relname, format('(%%s,0)', %(page)s::bigint))
    )
) AS is_empty
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = %(table)s::oid
