-- purpose: tell the oldest record of the unified trail (before 19c)
-- kind: read
-- engine: oracle 12.1-18
-- privileges: SELECT AUDSYS.UNIFIED_AUDIT_TRAIL
-- locks: none
-- licence: none
-- binds: none
-- columns: oldest_at (time in UTC; null: the trail is empty)
-- source: Database Reference 12.1, 12.2 and 18c, UNIFIED_AUDIT_TRAIL (EVENT_TIMESTAMP, in the session's zone; EVENT_TIMESTAMP_UTC is documented from 19c on, so no partition is pruned here); SQL Language Reference, SYS_EXTRACT_UTC
SELECT SYS_EXTRACT_UTC(MIN(event_timestamp)) AS oldest_at
FROM unified_audit_trail
