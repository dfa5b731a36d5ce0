-- purpose: count the traditional trail's records of a stretch of time
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT DBA_AUDIT_TRAIL
-- locks: none
-- licence: none
-- binds: begin_at (text, YYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM), end_at (text, likewise; excluded)
-- columns: records (records)
-- source: Database Reference 19c, DBA_AUDIT_TRAIL
SELECT COUNT(*) AS records
FROM dba_audit_trail
WHERE
    extended_timestamp >= TO_TIMESTAMP_TZ(:begin_at, 'YYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM')
    AND extended_timestamp < TO_TIMESTAMP_TZ(:end_at, 'YYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM')
