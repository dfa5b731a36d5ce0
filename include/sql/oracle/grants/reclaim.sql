-- purpose: let the work account of the pipeline reclaim see what it decides on, and change it;
--   session.sql, gate.sql and changing.sql are for the same account
-- kind: grants
-- engine: oracle 11.2-23
-- privileges: SYSDBA, or GRANT ANY OBJECT PRIVILEGE with GRANT ANY PRIVILEGE
-- locks: none
-- licence: none
-- binds: account (identifier: the work account; SQL*Plus: DEFINE account = DRYDOCK_WORK, in a CDB a local user of the PDB)
-- columns: none
-- source: SQL Language Reference 19c, GRANT; the prerequisites of each statement
-- there is no object privilege for ALTER INDEX: without it only the owner may
GRANT ALTER ANY INDEX TO &account;
-- or ALTER on each table instead: GRANT ALTER ON owner.table
GRANT ALTER ANY TABLE TO &account;
-- DBMS_SPACE and DBMS_STATS on tables of others
GRANT ANALYZE ANY TO &account;
GRANT CREATE SESSION TO &account;
GRANT SELECT ON SYS.DBA_BLOCKCHAIN_TABLES TO &account;
GRANT SELECT ON SYS.DBA_CAPTURE TO &account;
GRANT SELECT ON SYS.DBA_CONSTRAINTS TO &account;
GRANT SELECT ON SYS.DBA_DATA_FILES TO &account;
GRANT SELECT ON SYS.DBA_EXTENTS TO &account;
GRANT SELECT ON SYS.DBA_FLASHBACK_ARCHIVE_TABLES TO &account;
GRANT SELECT ON SYS.DBA_FREE_SPACE TO &account;
GRANT SELECT ON SYS.DBA_IMMUTABLE_TABLES TO &account;
GRANT SELECT ON SYS.DBA_INDEXES TO &account;
GRANT SELECT ON SYS.DBA_IND_PARTITIONS TO &account;
GRANT SELECT ON SYS.DBA_IND_SUBPARTITIONS TO &account;
GRANT SELECT ON SYS.DBA_LOBS TO &account;
GRANT SELECT ON SYS.DBA_LOB_PARTITIONS TO &account;
GRANT SELECT ON SYS.DBA_LOB_SUBPARTITIONS TO &account;
GRANT SELECT ON SYS.DBA_LOG_GROUPS TO &account;
GRANT SELECT ON SYS.DBA_MVIEWS TO &account;
GRANT SELECT ON SYS.DBA_MVIEW_DETAIL_RELATIONS TO &account;
GRANT SELECT ON SYS.DBA_MVIEW_LOGS TO &account;
GRANT SELECT ON SYS.DBA_OBJECTS TO &account;
GRANT SELECT ON SYS.DBA_PART_INDEXES TO &account;
GRANT SELECT ON SYS.DBA_PART_TABLES TO &account;
GRANT SELECT ON SYS.DBA_POLICIES TO &account;
GRANT SELECT ON SYS.DBA_QUEUE_TABLES TO &account;
GRANT SELECT ON SYS.DBA_SCHEDULER_JOBS TO &account;
GRANT SELECT ON SYS.DBA_SEGMENTS TO &account;
GRANT SELECT ON SYS.DBA_TABLES TO &account;
GRANT SELECT ON SYS.DBA_TABLESPACES TO &account;
GRANT SELECT ON SYS.DBA_TAB_COLUMNS TO &account;
GRANT SELECT ON SYS.DBA_TAB_PARTITIONS TO &account;
GRANT SELECT ON SYS.DBA_TAB_STATISTICS TO &account;
GRANT SELECT ON SYS.DBA_TAB_SUBPARTITIONS TO &account;
GRANT SELECT ON SYS.GV_$LOCKED_OBJECT TO &account;
GRANT SELECT ON SYS.GV_$SEGMENT_STATISTICS TO &account;
GRANT SELECT ON SYS.GV_$TRANSACTION TO &account;
GRANT SELECT ON SYS.V_$DATABASE TO &account;
-- only where the policy allows truncate (allow_truncate), and then by the site itself: GRANT DROP ANY TABLE TO account
