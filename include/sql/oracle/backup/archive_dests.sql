-- purpose: tell how the destinations of archived logs are doing
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$ARCHIVE_DEST_STATUS
-- locks: none
-- licence: none
-- binds: none
-- columns: dest (DEST_ID), status (VALID, ERROR, DEFERRED and others), destination (folder, service or USE_DB_RECOVERY_FILE_DEST), error (text, null: none)
-- source: Oracle Database Reference 19c, V$ARCHIVE_DEST_STATUS
SELECT dest_id AS dest, status AS status, destination AS destination, error AS error
FROM v$archive_dest_status
WHERE status <> 'INACTIVE'
