-- purpose: tell how full the fast recovery area is
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$RECOVERY_FILE_DEST
-- locks: none
-- licence: none
-- binds: none
-- columns: name (path or disk group), limit_bytes (bytes), used_bytes (bytes), reclaimable_bytes (bytes that Oracle may take back)
-- source: Oracle Database Reference 19c, V$RECOVERY_FILE_DEST
SELECT
    name AS name,
    space_limit AS limit_bytes,
    space_used AS used_bytes,
    space_reclaimable AS reclaimable_bytes
FROM v$recovery_file_dest
WHERE space_limit > 0
