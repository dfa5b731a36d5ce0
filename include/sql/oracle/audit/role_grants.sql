-- purpose: tell who was given which role, roles among them
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT DBA_ROLE_PRIVS
-- locks: none
-- licence: none
-- binds: none
-- columns: grantee (user or role), granted_role (role)
-- source: Database Reference 19c, DBA_ROLE_PRIVS
SELECT
    grantee AS grantee,
    granted_role AS granted_role
FROM dba_role_privs
ORDER BY grantee, granted_role
