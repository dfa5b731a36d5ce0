-- purpose: tell the state of each constraint of one table
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_CONSTRAINTS
-- locks: none
-- licence: none
-- binds: owner (of the table), name (of the table)
-- columns: name (constraint), type (P, U, R, C, ...), status (ENABLED, DISABLED), validated (VALIDATED, NOT VALIDATED)
-- source: Database Reference 19c, DBA_CONSTRAINTS
SELECT
    c.constraint_name AS name,
    c.constraint_type AS type,
    c.status AS status,
    c.validated AS validated
FROM dba_constraints c
WHERE c.owner = :owner
AND c.table_name = :name
