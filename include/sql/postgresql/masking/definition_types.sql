-- purpose: the types of the schemas in scope as CREATE TYPE and CREATE DOMAIN need them; those of extensions are left out
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: schema_name (schema), name (type), kind (e enum, d domain, c composite, r range), labels (of an enum, in order), base (of a domain: type as SQL writes it; or empty), base_schema (schema of the base type where it is not pg_catalog; or null), base_name (its name; or null), collation (of a domain, other than the base type's; or empty), default_expression (or empty), not_null (refuses NULL), check_names (of a domain), check_definitions (in the same order), check_comments (in the same order), comment (or empty)
-- source: PostgreSQL manual, pg_type, pg_enum, pg_constraint
SELECT
    n.nspname::text AS schema_name,
    t.typname::text AS name,
    t.typtype::text AS kind,
    ARRAY(SELECT e.enumlabel::text FROM pg_enum AS e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels,
    coalesce(format_type(nullif(t.typbasetype, 0), t.typtypmod), '') AS base,
    nullif(bn.nspname, 'pg_catalog')::text AS base_schema,
    b.typname::text AS base_name,
    CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation THEN quote_ident(ln.nspname) || '.' || quote_ident(l.collname) ELSE '' END AS collation,
    coalesce(pg_get_expr(t.typdefaultbin, 0), '') AS default_expression,
    t.typnotnull AS not_null,
    ARRAY(SELECT k.conname::text FROM pg_constraint AS k WHERE k.contypid = t.oid AND k.contype = 'c' ORDER BY k.conname) AS check_names,
    ARRAY(
        SELECT pg_get_constraintdef(k.oid) FROM pg_constraint AS k WHERE k.contypid = t.oid AND k.contype = 'c' ORDER BY k.conname
    ) AS check_definitions,
    ARRAY(
        SELECT coalesce(obj_description(k.oid, 'pg_constraint'), '')
        FROM pg_constraint AS k WHERE k.contypid = t.oid AND k.contype = 'c' ORDER BY k.conname
    ) AS check_comments,
    coalesce(obj_description(t.oid, 'pg_type'), '') AS comment
FROM pg_type AS t
JOIN pg_namespace AS n ON n.oid = t.typnamespace
LEFT JOIN pg_type AS b ON b.oid = t.typbasetype
LEFT JOIN pg_namespace AS bn ON bn.oid = b.typnamespace
LEFT JOIN pg_collation AS l ON l.oid = t.typcollation
LEFT JOIN pg_namespace AS ln ON ln.oid = l.collnamespace
WHERE
    n.nspname = ANY(%(schemas)s)
    AND (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND EXISTS (SELECT 1 FROM pg_class AS c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
    AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
ORDER BY n.nspname, t.typname
