-- purpose: name every constraint that is not enabled and validated
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_CONSTRAINTS
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (schema), name (constraint), table_name (its table)
-- source: Database Reference 19c, DBA_CONSTRAINTS
SELECT
    c.owner AS owner,
    c.constraint_name AS name,
    c.table_name AS table_name
FROM dba_constraints c
WHERE c.status <> 'ENABLED' OR c.validated <> 'VALIDATED'
