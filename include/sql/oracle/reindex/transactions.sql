-- purpose: tell how old the transactions are that hold a lock on the table of one index
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_INDEXES, SELECT ON SYS.DBA_OBJECTS, SELECT ON SYS.GV_$LOCKED_OBJECT, SELECT ON SYS.GV_$TRANSACTION
-- locks: none
-- licence: none
-- binds: owner (of the index), name (index)
-- columns: session_id (SID), age_s (seconds since the transaction began)
-- source: Database Reference 19c, DBA_INDEXES, DBA_OBJECTS, V$LOCKED_OBJECT, V$TRANSACTION, GV$ views (undo segment numbers are those of all instances)
SELECT
    l.session_id AS session_id,
    ROUND((SYSDATE - t.start_date) * 86400) AS age_s
FROM gv$locked_object l
JOIN gv$transaction t ON t.xidusn = l.xidusn AND t.xidslot = l.xidslot AND t.xidsqn = l.xidsqn
JOIN dba_objects o ON o.object_id = l.object_id
JOIN dba_indexes i ON i.table_owner = o.owner AND i.table_name = o.object_name
WHERE i.owner = :owner
AND i.index_name = :name
