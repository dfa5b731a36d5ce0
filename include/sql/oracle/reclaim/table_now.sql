-- purpose: tell the settings of one table that work on it may change
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_TABLES
-- locks: none
-- licence: none
-- binds: owner (of the table), name (of the table)
-- columns: row_movement (ENABLED, DISABLED), degree (number or DEFAULT, with blanks), logging (YES, NO, null where partitioned)
-- source: Database Reference 19c, DBA_TABLES
SELECT
    t.row_movement AS row_movement,
    t.degree AS degree,
    t.logging AS logging
FROM dba_tables t
WHERE t.owner = :owner
AND t.table_name = :name
