-- purpose: tell how far each file of a tablespace is used: it may be cut off after its last extent, not before
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_DATA_FILES, SELECT ON SYS.DBA_EXTENTS
-- locks: none
-- licence: none
-- binds: tablespace (name)
-- columns: file_id (number), name (file), bytes (size), blocks (size), used_blocks (end of the last extent)
-- source: Database Reference 19c, DBA_DATA_FILES, DBA_EXTENTS
SELECT
    f.file_id AS file_id,
    f.file_name AS name,
    f.bytes AS bytes,
    f.blocks AS blocks,
    NVL(MAX(e.block_id + e.blocks), 0) AS used_blocks
FROM dba_data_files f
LEFT JOIN dba_extents e ON e.file_id = f.file_id AND e.tablespace_name = f.tablespace_name
WHERE f.tablespace_name = :tablespace
GROUP BY f.file_id, f.file_name, f.bytes, f.blocks
