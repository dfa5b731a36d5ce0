-- purpose: the schemas in scope, whose they are and who may use them
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: name (schema), comment (or empty), owner (role that owns it), open_to (other roles with a right on it; PUBLIC: everybody)
-- source: PostgreSQL manual, pg_namespace, aclexplode, Comment Information Functions
SELECT
    n.nspname::text AS name,
    coalesce(obj_description(n.oid, 'pg_namespace'), '') AS comment,
    pg_get_userbyid(n.nspowner)::text AS owner,
    ARRAY(
        SELECT DISTINCT CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee)::text END
        FROM aclexplode(n.nspacl) AS x
        WHERE x.grantee <> n.nspowner
        ORDER BY 1
    ) AS open_to
FROM pg_namespace AS n
WHERE n.nspname = ANY(%(schemas)s)
ORDER BY n.nspname
