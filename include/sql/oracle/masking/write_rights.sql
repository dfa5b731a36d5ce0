-- purpose: tell by which rights the reading account could change the tables of one schema: it should have none; roles within roles are not seen
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_SYS_PRIVS, SELECT ON SYS.DBA_ROLE_PRIVS, SELECT ON SYS.DBA_TAB_PRIVS
-- locks: none
-- licence: none
-- binds: owner (schema)
-- columns: name (table; null: every table), privilege (as it was granted)
-- source: Database Reference 19c, DBA_SYS_PRIVS, DBA_ROLE_PRIVS, DBA_TAB_PRIVS
SELECT
    NULL AS name,
    s.privilege AS privilege
FROM dba_sys_privs s
WHERE (
    s.grantee IN (SYS_CONTEXT('USERENV', 'SESSION_USER'), 'PUBLIC')
    OR s.grantee IN (
        SELECT r.granted_role FROM dba_role_privs r WHERE r.grantee = SYS_CONTEXT('USERENV', 'SESSION_USER')
    )
)
AND s.privilege IN (
    'INSERT ANY TABLE', 'UPDATE ANY TABLE', 'DELETE ANY TABLE', 'ALTER ANY TABLE', 'DROP ANY TABLE',
    'GRANT ANY OBJECT PRIVILEGE', 'GRANT ANY PRIVILEGE', 'BECOME USER'
)
UNION ALL
SELECT
    t.table_name AS name,
    t.privilege AS privilege
FROM dba_tab_privs t
WHERE t.owner = :owner
AND (
    t.grantee IN (SYS_CONTEXT('USERENV', 'SESSION_USER'), 'PUBLIC')
    OR t.grantee IN (
        SELECT r.granted_role FROM dba_role_privs r WHERE r.grantee = SYS_CONTEXT('USERENV', 'SESSION_USER')
    )
)
AND t.privilege IN ('INSERT', 'UPDATE', 'DELETE', 'ALTER')
