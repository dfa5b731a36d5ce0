-- purpose: name the LOB columns whose segment has this name
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_LOBS
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (of the table), table_name (table), column_name (column), segment_name (of the LOB), securefile (YES, NO)
-- source: Database Reference 19c, DBA_LOBS
SELECT
    l.owner AS owner,
    l.table_name AS table_name,
    l.column_name AS column_name,
    l.segment_name AS segment_name,
    l.securefile AS securefile
FROM dba_lobs l
