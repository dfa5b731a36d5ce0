-- purpose: tell how full the fast recovery area is
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.V_$RECOVERY_FILE_DEST
-- locks: none
-- licence: none
-- binds: none
-- columns: name (place), limit_bytes (DB_RECOVERY_FILE_DEST_SIZE), used_bytes (in use), reclaimable_bytes (of it, may be deleted), files (number of files)
-- source: Database Reference 19c, V$RECOVERY_FILE_DEST
SELECT
    f.name AS name,
    f.space_limit AS limit_bytes,
    f.space_used AS used_bytes,
    f.space_reclaimable AS reclaimable_bytes,
    f.number_of_files AS files
FROM v$recovery_file_dest f
