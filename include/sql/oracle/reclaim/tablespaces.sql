-- purpose: tell how each tablespace manages its space, and how much of it is free
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_DATA_FILES, SELECT ON SYS.DBA_FREE_SPACE, SELECT ON SYS.DBA_TABLESPACES
-- locks: none
-- licence: none
-- binds: none
-- columns: name (tablespace), block_bytes (size of a block), management (AUTO, MANUAL), status (ONLINE, READ ONLY, OFFLINE), force_logging (YES, NO), file_bytes (of all files), growable_bytes (what files may still grow), free_bytes (free extents, the recycle bin counts as free)
-- source: Database Reference 19c, DBA_DATA_FILES, DBA_FREE_SPACE, DBA_TABLESPACES
SELECT
    t.tablespace_name AS name,
    t.block_size AS block_bytes,
    t.segment_space_management AS management,
    t.status AS status,
    t.force_logging AS force_logging,
    (SELECT NVL(SUM(f.bytes), 0) FROM dba_data_files f WHERE f.tablespace_name = t.tablespace_name) AS file_bytes,
    (
        SELECT NVL(SUM(CASE WHEN f.maxbytes > f.bytes THEN f.maxbytes - f.bytes ELSE 0 END), 0)
        FROM dba_data_files f
        WHERE f.tablespace_name = t.tablespace_name
    ) AS growable_bytes,
    (SELECT NVL(SUM(e.bytes), 0) FROM dba_free_space e WHERE e.tablespace_name = t.tablespace_name) AS free_bytes
FROM dba_tablespaces t
WHERE t.contents = 'PERMANENT'
