-- purpose: name the tables of the source whose rows the reading account may not read, and whether it is the schema that is closed
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: schema_name (schema), name (table or partition), may_enter (true: the account has USAGE on the schema)
-- source: PostgreSQL manual, System Information Functions (Access Privilege Inquiry Functions)
SELECT
    n.nspname::text AS schema_name,
    c.relname::text AS name,
    has_schema_privilege(n.oid, 'USAGE') AS may_enter
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    n.nspname = ANY(%(schemas)s)
    AND c.relkind IN ('r', 'p')
    AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))
ORDER BY n.nspname, c.relname
