-- purpose: which server tells the definitions, to whom, and who would get into every new schema of that role
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: none
-- columns: version (server_version_num), role (who asks), default_readers (roles that default privileges give a right on every new schema of this role; PUBLIC: everybody)
-- source: PostgreSQL manual, pg_default_acl, aclexplode
SELECT
    current_setting('server_version_num')::integer AS version,
    current_user::text AS role,
    ARRAY(
        SELECT DISTINCT CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee)::text END
        FROM pg_default_acl AS d
        CROSS JOIN LATERAL aclexplode(d.defaclacl) AS x
        JOIN pg_roles AS r ON r.oid = d.defaclrole
        WHERE d.defaclobjtype = 'n' AND r.rolname = current_user AND x.grantee <> d.defaclrole
        ORDER BY 1
    ) AS default_readers
