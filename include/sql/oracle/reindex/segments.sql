-- purpose: tell how large each segment of one index is at this moment
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_SEGMENTS
-- locks: none
-- licence: none
-- binds: owner (of the index), name (index)
-- columns: partition (or null), bytes (size), blocks (size), tablespace (name)
-- source: Database Reference 19c, DBA_SEGMENTS
SELECT
    s.partition_name AS partition,
    s.bytes AS bytes,
    s.blocks AS blocks,
    s.tablespace_name AS tablespace
FROM dba_segments s
WHERE s.owner = :owner
AND s.segment_name = :name
AND s.segment_type IN ('INDEX', 'INDEX PARTITION', 'INDEX SUBPARTITION')
