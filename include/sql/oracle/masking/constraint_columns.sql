-- purpose: list the columns of the constraints of one schema, in the order of the key
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_CONS_COLUMNS
-- locks: none
-- licence: none
-- binds: owner (schema)
-- columns: name (constraint), table_name (table), column_name (column), position (null: of a check)
-- source: Database Reference 19c, DBA_CONS_COLUMNS
SELECT
    c.constraint_name AS name,
    c.table_name AS table_name,
    c.column_name AS column_name,
    c.position AS position
FROM dba_cons_columns c
WHERE c.owner = :owner
ORDER BY c.constraint_name, c.position
