-- purpose: count the unified trail's records of a stretch of time, before any of them is read (before 19c)
-- kind: read
-- engine: oracle 12.1-18
-- privileges: SELECT AUDSYS.UNIFIED_AUDIT_TRAIL
-- locks: none
-- licence: none
-- binds: begin_utc (text, YYYY-MM-DD HH24:MI:SS.FF6, UTC), end_utc (text, likewise; excluded)
-- columns: records (records)
-- source: Database Reference 12.1, 12.2 and 18c, UNIFIED_AUDIT_TRAIL (EVENT_TIMESTAMP, in the session's zone; EVENT_TIMESTAMP_UTC is documented from 19c on, so no partition is pruned here); SQL Language Reference, SYS_EXTRACT_UTC
SELECT COUNT(*) AS records
FROM unified_audit_trail
WHERE
    SYS_EXTRACT_UTC(event_timestamp) >= TO_TIMESTAMP(:begin_utc, 'YYYY-MM-DD HH24:MI:SS.FF6')
    AND SYS_EXTRACT_UTC(event_timestamp) < TO_TIMESTAMP(:end_utc, 'YYYY-MM-DD HH24:MI:SS.FF6')
