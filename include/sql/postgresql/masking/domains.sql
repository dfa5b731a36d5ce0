-- purpose: the domains of the database (their checks bind every column that has their type)
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: none
-- columns: type_oid (pg_type.oid), schema_name (schema), name (domain), base_oid (type below; may be a domain too), base_type (as SQL writes it), base_kind (b base, d domain, e enum, ...), not_null (refuses NULL), default_expression (or empty),
--   check_names (of its checks), check_expressions (in the same order; VALUE is the value), comment (or empty)
-- source: PostgreSQL manual, pg_type, pg_constraint
SELECT
    t.oid::bigint AS type_oid,
    n.nspname::text AS schema_name,
    t.typname::text AS name,
    t.typbasetype::bigint AS base_oid,
    format_type(t.typbasetype, t.typtypmod) AS base_type,
    b.typtype::text AS base_kind,
    t.typnotnull AS not_null,
    coalesce(t.typdefault, '') AS default_expression,
    ARRAY(
        SELECT k.conname::text FROM pg_constraint AS k WHERE k.contypid = t.oid AND k.contype = 'c' ORDER BY k.conname
    ) AS check_names,
    ARRAY(
        SELECT pg_get_expr(k.conbin, 0) FROM pg_constraint AS k WHERE k.contypid = t.oid AND k.contype = 'c' ORDER BY k.conname
    ) AS check_expressions,
    coalesce(obj_description(t.oid, 'pg_type'), '') AS comment
FROM pg_type AS t
JOIN pg_namespace AS n ON n.oid = t.typnamespace
JOIN pg_type AS b ON b.oid = t.typbasetype
WHERE
    t.typtype = 'd'
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY n.nspname, t.typname
