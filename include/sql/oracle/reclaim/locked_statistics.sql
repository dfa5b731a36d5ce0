-- purpose: name the pieces of one table whose statistics are locked
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_TAB_STATISTICS
-- locks: none
-- licence: none
-- binds: owner (of the table), name (of the table)
-- columns: partition (or null: the table), locked (ALL, DATA, CACHE)
-- source: Database Reference 19c, DBA_TAB_STATISTICS
SELECT
    NVL(s.subpartition_name, s.partition_name) AS partition,
    s.stattype_locked AS locked
FROM dba_tab_statistics s
WHERE s.owner = :owner
AND s.table_name = :name
AND s.stattype_locked IS NOT NULL
