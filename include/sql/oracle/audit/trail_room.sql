-- purpose: tell how large the trails are, and what their tablespaces may still take
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT DBA_SEGMENTS, SELECT DBA_TABLESPACE_USAGE_METRICS, SELECT DBA_TABLESPACES
-- locks: none
-- licence: none
-- binds: none
-- columns: tablespace (name), trail_bytes (bytes of the trails there), free_bytes (bytes, with what the files may grow; null: not told)
-- source: Database Reference 19c, DBA_SEGMENTS, DBA_TABLESPACE_USAGE_METRICS (in blocks), DBA_TABLESPACES
SELECT
    s.tablespace_name AS tablespace,
    s.trail_bytes AS trail_bytes,
    (
        SELECT (m.tablespace_size - m.used_space) * t.block_size
        FROM dba_tablespace_usage_metrics m, dba_tablespaces t
        WHERE m.tablespace_name = s.tablespace_name AND t.tablespace_name = s.tablespace_name
    ) AS free_bytes
FROM
    (
        SELECT tablespace_name, SUM(bytes) AS trail_bytes
        FROM dba_segments
        WHERE owner = 'AUDSYS' OR (owner = 'SYS' AND segment_name IN ('AUD$', 'FGA_LOG$'))
        GROUP BY tablespace_name
    ) s
ORDER BY s.tablespace_name
