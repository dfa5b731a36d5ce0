-- purpose: tell from which policies the reading account is exempt; a privilege that comes by a role alone is not seen here
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_SYS_PRIVS
-- locks: none
-- licence: none
-- binds: none
-- columns: privilege (EXEMPT ACCESS POLICY, EXEMPT REDACTION POLICY)
-- source: Database Reference 19c, DBA_SYS_PRIVS; Security Guide 19c, Using Oracle Virtual Private Database
SELECT p.privilege AS privilege
FROM dba_sys_privs p
WHERE p.grantee = SYS_CONTEXT('USERENV', 'SESSION_USER')
AND p.privilege IN ('EXEMPT ACCESS POLICY', 'EXEMPT REDACTION POLICY')
