-- purpose: name the tables with an enabled row-level policy (VPD)
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_POLICIES
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (of the table), name (table)
-- source: Database Reference 19c, DBA_POLICIES
SELECT DISTINCT
    p.object_owner AS owner,
    p.object_name AS name
FROM dba_policies p
WHERE p.enable = 'YES'
