-- purpose: list tables of one schema of which a reader may not see all rows: a policy of row security is on
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_POLICIES
-- locks: none
-- licence: none
-- binds: owner (schema)
-- columns: name (table), policy (its name)
-- source: Database Reference 19c, DBA_POLICIES; DBMS_RLS
SELECT
    p.object_name AS name,
    p.policy_name AS policy
FROM dba_policies p
WHERE p.object_owner = :owner
AND p.enable = 'YES'
AND p.sel = 'YES'
ORDER BY p.object_name, p.policy_name
