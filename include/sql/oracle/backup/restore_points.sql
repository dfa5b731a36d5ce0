-- purpose: tell the guaranteed restore points: while one lives, nothing of the recovery area that it needs can be taken back
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$RESTORE_POINT
-- locks: none
-- licence: none
-- binds: none
-- columns: name (of the restore point)
-- source: Oracle Database Reference 19c, V$RESTORE_POINT
SELECT name AS name
FROM v$restore_point
WHERE guarantee_flashback_database = 'YES'
