-- purpose: the numbers that this database gives to types of the user: arrays name their elements by them
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas that the types are in)
-- columns: schema_name (schema), name (type), type_oid (pg_type.oid)
-- source: PostgreSQL manual, pg_type; source of the server, array_recv
SELECT n.nspname::text AS schema_name, t.typname::text AS name, t.oid::bigint AS type_oid
FROM pg_type AS t
JOIN pg_namespace AS n ON n.oid = t.typnamespace
WHERE n.nspname = ANY(%(schemas)s) AND t.typtype IN ('b', 'd', 'e', 'r', 'm')
