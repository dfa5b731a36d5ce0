-- purpose: tell who may change what is audited, by a system privilege
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT DBA_SYS_PRIVS
-- locks: none
-- licence: none
-- binds: none
-- columns: grantee (user or role), privilege (AUDIT SYSTEM, AUDIT ANY, ALTER SYSTEM, GRANT ANY ROLE, BECOME USER)
-- source: Database Reference 19c, DBA_SYS_PRIVS; Security Guide 19c, Administering the Audit Trail
SELECT
    grantee AS grantee,
    privilege AS privilege
FROM dba_sys_privs
WHERE privilege IN ('AUDIT SYSTEM', 'AUDIT ANY', 'ALTER SYSTEM', 'GRANT ANY ROLE', 'BECOME USER')
ORDER BY grantee, privilege
