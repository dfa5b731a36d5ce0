-- purpose: tell the oldest record of the unified trail
-- kind: read
-- engine: oracle 19-23
-- privileges: SELECT AUDSYS.UNIFIED_AUDIT_TRAIL
-- locks: none
-- licence: none
-- binds: none
-- columns: oldest_at (time in UTC; null: the trail is empty)
-- source: Database Reference 19c, UNIFIED_AUDIT_TRAIL
SELECT MIN(event_timestamp_utc) AS oldest_at
FROM unified_audit_trail
