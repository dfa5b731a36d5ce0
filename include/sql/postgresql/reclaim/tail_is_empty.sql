-- purpose: tell whether the pages of a table from one page on hold no row that anybody sees
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the table
-- locks: ACCESS SHARE on the table
-- licence: none
-- binds: table (oid), page (first page)
-- columns: is_empty (true: nothing from that page on)
-- source: PostgreSQL manual, XML Functions (query_to_xml: a question with names that the server quotes itself); System Columns (ctid)
SELECT query_to_xml(
    format('SELECT 1 AS x FROM ONLY %%I.%%I WHERE ctid >= %%L::tid LIMIT 1', n.nspname, c.relname, format('(%%s,0)', %(page)s::bigint)),
    false, true, ''
)::text NOT LIKE '%%<x>%%' AS is_empty
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = %(table)s::oid
