-- purpose: find the journal tables that online rebuilds keep or left behind
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_OBJECTS
-- locks: none
-- licence: none
-- binds: none
-- columns: name (SYS_JOURNAL_ and the OBJECT_ID of the index or its piece), age_s (seconds since it was made)
-- source: Database Reference 19c, DBA_OBJECTS; PL/SQL Packages and Types Reference 19c, DBMS_REPAIR.ONLINE_INDEX_CLEAN
SELECT
    o.object_name AS name,
    ROUND((SYSDATE - o.created) * 86400) AS age_s
FROM dba_objects o
WHERE o.object_type = 'TABLE'
AND o.object_name LIKE 'SYS\_JOURNAL\_%' ESCAPE '\'
