-- purpose: name the schemas that Oracle itself maintains
-- kind: read
-- engine: oracle 12.1-23
-- privileges: SELECT ON SYS.DBA_USERS
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (schema)
-- source: Database Reference 19c, DBA_USERS
SELECT u.username AS owner
FROM dba_users u
WHERE u.oracle_maintained = 'Y'
