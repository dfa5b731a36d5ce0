-- purpose: count all segments of tables and LOBs, the small ones too
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_SEGMENTS
-- locks: none
-- licence: none
-- binds: none
-- columns: segments (how many)
-- source: Database Reference 19c, DBA_SEGMENTS
SELECT COUNT(*) AS segments
FROM dba_segments s
WHERE s.segment_type IN (
    'TABLE', 'TABLE PARTITION', 'TABLE SUBPARTITION', 'NESTED TABLE', 'CLUSTER',
    'LOBSEGMENT', 'LOB PARTITION', 'LOB SUBPARTITION'
)
