-- purpose: count the unified trail's records of a stretch of time, before any of them is read
-- kind: read
-- engine: oracle 19-23
-- privileges: SELECT AUDSYS.UNIFIED_AUDIT_TRAIL
-- locks: none
-- licence: none
-- binds: begin_utc (text, YYYY-MM-DD HH24:MI:SS.FF6, UTC), end_utc (text, likewise; excluded)
-- columns: records (records)
-- source: Database Reference 19c, UNIFIED_AUDIT_TRAIL; Security Guide 19c (EVENT_TIMESTAMP_UTC in WHERE prunes partitions)
SELECT COUNT(*) AS records
FROM unified_audit_trail
WHERE
    event_timestamp_utc >= TO_TIMESTAMP(:begin_utc, 'YYYY-MM-DD HH24:MI:SS.FF6')
    AND event_timestamp_utc < TO_TIMESTAMP(:end_utc, 'YYYY-MM-DD HH24:MI:SS.FF6')
