-- purpose: tell the oldest record of the traditional trail
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT DBA_AUDIT_TRAIL
-- locks: none
-- licence: none
-- binds: none
-- columns: oldest_at (time in UTC; null: the trail is empty)
-- source: Database Reference 19c, DBA_AUDIT_TRAIL
SELECT SYS_EXTRACT_UTC(MIN(extended_timestamp)) AS oldest_at
FROM dba_audit_trail
