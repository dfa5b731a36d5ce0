-- purpose: find the segments of tables and LOBs that are large enough to look at
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_SEGMENTS
-- locks: none
-- licence: none
-- binds: floor_bytes (smallest size)
-- columns: owner (of the segment), name (of the segment), partition (or null), type (SEGMENT_TYPE), tablespace (name), bytes (size), blocks (size)
-- source: Database Reference 19c, DBA_SEGMENTS
SELECT
    s.owner AS owner,
    s.segment_name AS name,
    s.partition_name AS partition,
    s.segment_type AS type,
    s.tablespace_name AS tablespace,
    s.bytes AS bytes,
    s.blocks AS blocks
FROM dba_segments s
WHERE s.bytes >= :floor_bytes
AND s.segment_type IN (
    'TABLE', 'TABLE PARTITION', 'TABLE SUBPARTITION', 'NESTED TABLE', 'CLUSTER',
    'LOBSEGMENT', 'LOB PARTITION', 'LOB SUBPARTITION'
)
