-- purpose: tell who may write the trail's tables, or run the package that cleans it
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT DBA_TAB_PRIVS
-- locks: none
-- licence: none
-- binds: none
-- columns: grantee (user or role), owner (of the object), object_name (table or package), privilege (DELETE, UPDATE, INSERT, ALTER, EXECUTE)
-- source: Database Reference 19c, DBA_TAB_PRIVS; PL/SQL Packages and Types Reference 19c, DBMS_AUDIT_MGMT
SELECT
    grantee AS grantee,
    owner AS owner,
    table_name AS object_name,
    privilege AS privilege
FROM dba_tab_privs
WHERE
    (
        owner = 'AUDSYS'
        AND privilege NOT IN ('SELECT', 'READ')
        AND table_name NOT LIKE 'DBMS\_AUDIT\_UTIL%' ESCAPE '\'
    )
    OR (owner = 'SYS' AND table_name IN ('AUD$', 'FGA_LOG$') AND privilege NOT IN ('SELECT', 'READ'))
    OR (owner = 'SYS' AND table_name = 'DBMS_AUDIT_MGMT' AND privilege = 'EXECUTE')
ORDER BY grantee, owner, table_name, privilege
