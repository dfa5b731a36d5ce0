-- purpose: what the reading account could change of the source if it wanted to: it must be able to read alone
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: right (SUPERUSER, a role, or what may be done), schema_name (empty: everywhere), name (table or sequence; empty: everywhere)
-- source: PostgreSQL manual, Access Privilege Inquiry Functions; Predefined Roles
WITH everywhere AS (
    SELECT CASE WHEN r.rolsuper THEN 'SUPERUSER' ELSE 'pg_write_all_data' END AS "right"
    FROM pg_roles AS r
    WHERE r.rolname = current_user AND (r.rolsuper OR pg_has_role(r.oid, 'pg_write_all_data', 'USAGE'))
)
SELECT e."right", '' AS schema_name, '' AS name FROM everywhere AS e
UNION ALL
SELECT p."right", n.nspname::text, c.relname::text
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS p ("right")
WHERE
    n.nspname = ANY(%(schemas)s)
    AND NOT EXISTS (SELECT 1 FROM everywhere)
    AND CASE
        WHEN c.relkind IN ('r', 'p', 'f') AND p."right" IN ('INSERT', 'UPDATE') THEN has_any_column_privilege(c.oid, p."right")
        WHEN c.relkind IN ('r', 'p', 'f') THEN has_table_privilege(c.oid, p."right")
        WHEN c.relkind = 'S' AND p."right" = 'UPDATE' THEN has_sequence_privilege(c.oid, 'UPDATE, USAGE')
        ELSE false
    END
ORDER BY 2, 3, 1
