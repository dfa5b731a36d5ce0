-- purpose: let the work account of the changing pipelines see what the gate asks, and hold the lock for changes
-- kind: grants
-- engine: oracle 11.2-23
-- privileges: SYSDBA, or GRANT ANY OBJECT PRIVILEGE with GRANT ANY PRIVILEGE
-- locks: none
-- licence: none
-- binds: account (identifier: the work account; SQL*Plus: DEFINE account = DRYDOCK_WORK, in a CDB a local user of the PDB)
-- columns: none
-- source: SQL Language Reference 19c, GRANT; PL/SQL Packages and Types Reference 19c, DBMS_LOCK
GRANT CREATE SESSION TO &account;
GRANT EXECUTE ON SYS.DBMS_LOCK TO &account;
GRANT SELECT ON SYS.DBA_DATA_FILES TO &account;
GRANT SELECT ON SYS.DBA_FREE_SPACE TO &account;
GRANT SELECT ON SYS.DBA_INDEXES TO &account;
GRANT SELECT ON SYS.DBA_IND_PARTITIONS TO &account;
GRANT SELECT ON SYS.DBA_IND_SUBPARTITIONS TO &account;
GRANT SELECT ON SYS.DBA_SEGMENTS TO &account;
GRANT SELECT ON SYS.GV_$LOCK TO &account;
GRANT SELECT ON SYS.GV_$SESSION TO &account;
GRANT SELECT ON SYS.GV_$TRANSACTION TO &account;
GRANT SELECT ON SYS.V_$ARCHIVED_LOG TO &account;
GRANT SELECT ON SYS.V_$ARCHIVE_DEST TO &account;
GRANT SELECT ON SYS.V_$ASM_DISKGROUP TO &account;
GRANT SELECT ON SYS.V_$DATABASE TO &account;
GRANT SELECT ON SYS.V_$MYSTAT TO &account;
GRANT SELECT ON SYS.V_$RMAN_STATUS TO &account;
GRANT SELECT ON SYS.V_$STATNAME TO &account;
