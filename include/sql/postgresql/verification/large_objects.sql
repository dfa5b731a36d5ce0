-- purpose: list the large objects of this database, and whether we may read them
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: number (oid of the large object), may_read (its owner, a superuser, a reader of all data, or somebody it was granted to)
-- source: PostgreSQL manual, System Catalogs: pg_largeobject_metadata
SELECT
    m.oid::bigint AS number,
    pg_has_role(m.lomowner, 'USAGE') OR pg_has_role('pg_read_all_data', 'USAGE')
    OR EXISTS (
        SELECT 1
        FROM aclexplode(m.lomacl) AS granted
        WHERE granted.privilege_type = 'SELECT' AND (granted.grantee = 0 OR pg_has_role(granted.grantee, 'USAGE'))
    ) AS may_read
FROM pg_largeobject_metadata AS m
ORDER BY m.oid
