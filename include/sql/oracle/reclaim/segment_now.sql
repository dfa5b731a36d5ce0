-- purpose: tell how large one segment is at this moment
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_SEGMENTS
-- locks: none
-- licence: none
-- binds: owner (of the segment), name (of the segment), partition (or null)
-- columns: bytes (size), blocks (size), tablespace (name)
-- source: Database Reference 19c, DBA_SEGMENTS
SELECT
    s.bytes AS bytes,
    s.blocks AS blocks,
    s.tablespace_name AS tablespace
FROM dba_segments s
WHERE s.owner = :owner
AND s.segment_name = :name
AND (s.partition_name = :partition OR (s.partition_name IS NULL AND :partition IS NULL))
AND s.segment_type NOT IN ('INDEX', 'INDEX PARTITION', 'INDEX SUBPARTITION', 'LOBINDEX')
