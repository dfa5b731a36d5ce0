-- purpose: name the tables with supplemental log groups: their changes are mined from redo
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_LOG_GROUPS
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (of the table), name (table)
-- source: Database Reference 19c, DBA_LOG_GROUPS
SELECT DISTINCT
    g.owner AS owner,
    g.table_name AS name
FROM dba_log_groups g
