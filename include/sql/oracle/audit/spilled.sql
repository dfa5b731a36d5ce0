-- purpose: tell what lies in files of the operating system in place of the trail's table
-- kind: read
-- engine: oracle 12.2-23
-- privileges: SELECT GV_$UNIFIED_AUDIT_TRAIL
-- locks: none
-- licence: none
-- binds: none
-- columns: records (in files, of all instances), oldest_at (time in UTC; null: none)
-- source: (in 12.1 the view holds all records, not those in files alone) Security Guide 19c, When Audit Records Are Written to the Operating System; DBMS_AUDIT_MGMT.LOAD_UNIFIED_AUDIT_FILES
SELECT
    COUNT(*) AS records,
    MIN(event_timestamp) AS oldest_at
FROM gv$unified_audit_trail
