-- purpose: tell which partition of the table each partition of its LOBs belongs to
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_LOB_PARTITIONS, SELECT ON SYS.DBA_LOB_SUBPARTITIONS
-- locks: none
-- licence: none
-- binds: owner (of the table), name (of the table)
-- columns: segment_name (of the LOB), lob_partition (its partition, as the segment has it), partition (of the table), is_sub (YES: a subpartition)
-- source: Database Reference 19c, DBA_LOB_PARTITIONS, DBA_LOB_SUBPARTITIONS
SELECT
    p.lob_name AS segment_name,
    p.lob_partition_name AS lob_partition,
    p.partition_name AS partition,
    'NO' AS is_sub
FROM dba_lob_partitions p
WHERE p.table_owner = :owner
AND p.table_name = :name
AND p.composite = 'NO'
UNION ALL
SELECT
    s.lob_name AS segment_name,
    s.lob_subpartition_name AS lob_partition,
    s.subpartition_name AS partition,
    'YES' AS is_sub
FROM dba_lob_subpartitions s
WHERE s.table_owner = :owner
AND s.table_name = :name
