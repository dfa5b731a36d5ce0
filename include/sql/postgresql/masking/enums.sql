-- purpose: the enum types that columns in scope use, in whatever schema they are
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: type_oid (pg_type.oid), schema_name (schema), name (type), labels (in their order), comment (or empty)
-- source: PostgreSQL manual, pg_enum
SELECT
    t.oid::bigint AS type_oid,
    n.nspname::text AS schema_name,
    t.typname::text AS name,
    ARRAY(SELECT e.enumlabel::text FROM pg_enum AS e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels,
    coalesce(obj_description(t.oid, 'pg_type'), '') AS comment
FROM pg_type AS t
JOIN pg_namespace AS n ON n.oid = t.typnamespace
WHERE
    t.typtype = 'e'
    AND (
        n.nspname = ANY(%(schemas)s)
        OR EXISTS (
            SELECT 1
            FROM pg_attribute AS a
            JOIN pg_class AS c ON c.oid = a.attrelid
            JOIN pg_namespace AS cn ON cn.oid = c.relnamespace
            WHERE a.atttypid IN (t.oid, t.typarray) AND NOT a.attisdropped AND cn.nspname = ANY(%(schemas)s)
        )
    )
ORDER BY n.nspname, t.typname
