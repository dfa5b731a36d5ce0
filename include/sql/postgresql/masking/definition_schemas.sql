-- purpose: the schemas that a copy is built from, and by which server they are told
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: name (schema), comment (or empty), version (server_version_num), role (who asks)
-- source: PostgreSQL manual, pg_namespace, Comment Information Functions
SELECT
    n.nspname::text AS name,
    coalesce(obj_description(n.oid, 'pg_namespace'), '') AS comment,
    current_setting('server_version_num')::integer AS version,
    current_user::text AS role
FROM pg_namespace AS n
WHERE n.nspname = ANY(%(schemas)s)
ORDER BY n.nspname
