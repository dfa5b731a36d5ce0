-- purpose: tell how each permanent tablespace manages its space
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_TABLESPACES
-- locks: none
-- licence: none
-- binds: none
-- columns: name (tablespace), block_bytes (size of a block), management (AUTO, MANUAL), status (ONLINE, READ ONLY, OFFLINE)
-- source: Database Reference 19c, DBA_TABLESPACES
SELECT
    t.tablespace_name AS name,
    t.block_size AS block_bytes,
    t.segment_space_management AS management,
    t.status AS status
FROM dba_tablespaces t
WHERE t.contents = 'PERMANENT'
