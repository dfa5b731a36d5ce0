-- purpose: tell of each partition or subpartition of one table what decides about its space
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_TAB_PARTITIONS, SELECT ON SYS.DBA_TAB_SUBPARTITIONS
-- locks: none
-- licence: none
-- binds: owner (of the table), name (of the table)
-- columns: name (partition or subpartition), is_sub (YES, NO), position (of the partition), is_interval (YES: made by interval partitioning), compression (ENABLED, DISABLED), compress_for (BASIC, ADVANCED, ..., null), pct_free (percent), num_rows (statistics), blocks (statistics), avg_row_len (statistics, bytes), last_analyzed (time)
-- source: Database Reference 19c, DBA_TAB_PARTITIONS, DBA_TAB_SUBPARTITIONS
SELECT
    p.partition_name AS name,
    'NO' AS is_sub,
    p.partition_position AS position,
    p.interval AS is_interval,
    p.compression AS compression,
    p.compress_for AS compress_for,
    p.pct_free AS pct_free,
    p.num_rows AS num_rows,
    p.blocks AS blocks,
    p.avg_row_len AS avg_row_len,
    p.last_analyzed AS last_analyzed
FROM dba_tab_partitions p
WHERE p.table_owner = :owner
AND p.table_name = :name
AND p.composite = 'NO'
UNION ALL
SELECT
    s.subpartition_name AS name,
    'YES' AS is_sub,
    p.partition_position AS position,
    p.interval AS is_interval,
    s.compression AS compression,
    s.compress_for AS compress_for,
    s.pct_free AS pct_free,
    s.num_rows AS num_rows,
    s.blocks AS blocks,
    s.avg_row_len AS avg_row_len,
    s.last_analyzed AS last_analyzed
FROM dba_tab_subpartitions s
JOIN dba_tab_partitions p
    ON p.table_owner = s.table_owner
    AND p.table_name = s.table_name
    AND p.partition_name = s.partition_name
WHERE s.table_owner = :owner
AND s.table_name = :name
