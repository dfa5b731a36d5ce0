-- purpose: tell which backup sets hold the server parameter file
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$BACKUP_SPFILE
-- locks: none
-- licence: none
-- binds: none
-- columns: set_stamp (with set_count the set), set_count (see set_stamp), completed_at (local time)
-- source: Oracle Database Reference 19c, V$BACKUP_SPFILE
SELECT set_stamp AS set_stamp, set_count AS set_count, completion_time AS completed_at
FROM v$backup_spfile
