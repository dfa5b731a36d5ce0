-- purpose: list the partitions of one schema's tables with their bounds
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_TAB_PARTITIONS
-- locks: none
-- licence: none
-- binds: owner (schema)
-- columns: table_name (table), name (partition), position (place, from 1), bound (as the dictionary writes it), subpartitions (how many)
-- source: Database Reference 19c, DBA_TAB_PARTITIONS
SELECT
    p.table_name AS table_name,
    p.partition_name AS name,
    p.partition_position AS position,
    p.high_value AS bound,
    p.subpartition_count AS subpartitions
FROM dba_tab_partitions p
WHERE p.table_owner = :owner
ORDER BY p.table_name, p.partition_position
