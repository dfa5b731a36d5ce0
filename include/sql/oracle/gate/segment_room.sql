-- purpose: tell how much room there is in the tablespaces of a segment: free extents, and what its files may still grow
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_DATA_FILES, SELECT ON SYS.DBA_FREE_SPACE, SELECT ON SYS.DBA_SEGMENTS
-- locks: none
-- licence: none
-- binds: owner (of the segment), name (of the segment), partition (its name; null: all of them)
-- columns: tablespace (name), free_bytes (in free extents; null: none), growth_bytes (autoextend up to MAXBYTES; whether the disk has it is not told)
-- source: Database Reference 19c, DBA_SEGMENTS, DBA_FREE_SPACE, DBA_DATA_FILES
SELECT
    t.tablespace_name AS tablespace,
    (SELECT sum(f.bytes) FROM dba_free_space f WHERE f.tablespace_name = t.tablespace_name) AS free_bytes,
    (
        SELECT sum(CASE WHEN d.autoextensible = 'YES' AND d.maxbytes > d.bytes THEN d.maxbytes - d.bytes ELSE 0 END)
        FROM dba_data_files d
        WHERE d.tablespace_name = t.tablespace_name
    ) AS growth_bytes
FROM (
    SELECT DISTINCT s.tablespace_name FROM dba_segments s
    WHERE
        s.owner = :owner
        AND s.segment_name = :name
        AND (:partition IS NULL OR s.partition_name = :partition)
) t
