-- purpose: name the indexes and their pieces that hold blocks found corrupt; DBA_EXTENTS is slow, so only where there are some
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_EXTENTS, SELECT ON SYS.V_$DATABASE_BLOCK_CORRUPTION
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (of the index), name (index), partition (or null), ranges (of corrupt blocks in it)
-- source: Database Reference 19c, DBA_EXTENTS, V$DATABASE_BLOCK_CORRUPTION
SELECT
    e.owner AS owner,
    e.segment_name AS name,
    e.partition_name AS partition,
    COUNT(*) AS ranges
FROM v$database_block_corruption c
JOIN dba_extents e
    ON e.file_id = c.file#
    AND e.block_id < c.block# + c.blocks
    AND e.block_id + e.blocks > c.block#
WHERE e.segment_type IN ('INDEX', 'INDEX PARTITION', 'INDEX SUBPARTITION')
GROUP BY e.owner, e.segment_name, e.partition_name
