-- purpose: the schemas of a copy and those whose names it takes: whose they are, and what in them is somebody else's
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas)
-- columns: name (schema), owner (role that owns it), role (who asks), others (things in it of another owner or of an extension), open_to (other roles with a right on it; PUBLIC: everybody)
-- source: PostgreSQL manual, pg_namespace, pg_depend, aclexplode
WITH thing AS (
    SELECT 'pg_class'::regclass::oid AS class, c.oid, c.relnamespace AS place, c.relowner AS owner FROM pg_class AS c
    UNION ALL
    SELECT 'pg_type'::regclass::oid, t.oid, t.typnamespace, t.typowner FROM pg_type AS t
    UNION ALL
    SELECT 'pg_proc'::regclass::oid, p.oid, p.pronamespace, p.proowner FROM pg_proc AS p
    UNION ALL
    SELECT 'pg_operator'::regclass::oid, o.oid, o.oprnamespace, o.oprowner FROM pg_operator AS o
    UNION ALL
    SELECT 'pg_collation'::regclass::oid, l.oid, l.collnamespace, l.collowner FROM pg_collation AS l
)
SELECT
    n.nspname::text AS name,
    pg_get_userbyid(n.nspowner)::text AS owner,
    current_user::text AS role,
    (
        SELECT count(*)
        FROM thing
        WHERE thing.place = n.oid AND (
            thing.owner <> n.nspowner
            OR EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.classid = thing.class AND d.objid = thing.oid AND d.deptype = 'e')
        )
    )::integer AS others,
    ARRAY(
        SELECT DISTINCT CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee)::text END
        FROM aclexplode(n.nspacl) AS x
        WHERE x.grantee <> n.nspowner
        ORDER BY 1
    ) AS open_to
FROM pg_namespace AS n
WHERE n.nspname = ANY(%(schemas)s)
ORDER BY n.nspname
