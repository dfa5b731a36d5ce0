-- purpose: tell every parameter that decides what is audited and where
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$SYSTEM_PARAMETER
-- locks: none
-- licence: none
-- binds: none
-- columns: name (parameter), value (its value; null: empty)
-- source: Database Reference 19c, AUDIT_TRAIL, AUDIT_SYS_OPERATIONS, UNIFIED_AUDIT_SYSTEMLOG, V$SYSTEM_PARAMETER
SELECT
    name AS name,
    value AS value
FROM v$system_parameter
WHERE name LIKE 'audit%' OR name LIKE 'unified_audit%'
ORDER BY name
