-- purpose: let the work account of the pipeline reindex see what it decides on, and change it;
--   session.sql and gate.sql are for the same account
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
-- DBMS_SPACE and DBMS_STATS on tables of others
GRANT ANALYZE ANY TO &account;
GRANT CREATE SESSION TO &account;
GRANT EXECUTE ON SYS.DBMS_REPAIR TO &account;
GRANT SELECT ON SYS.DBA_EXTENTS TO &account;
GRANT SELECT ON SYS.DBA_INDEXES TO &account;
GRANT SELECT ON SYS.DBA_INDEX_USAGE TO &account;
GRANT SELECT ON SYS.DBA_IND_COLUMNS TO &account;
GRANT SELECT ON SYS.DBA_IND_PARTITIONS TO &account;
GRANT SELECT ON SYS.DBA_IND_SUBPARTITIONS TO &account;
GRANT SELECT ON SYS.DBA_OBJECTS TO &account;
GRANT SELECT ON SYS.DBA_PART_INDEXES TO &account;
GRANT SELECT ON SYS.DBA_SCHEDULER_JOBS TO &account;
GRANT SELECT ON SYS.DBA_SEGMENTS TO &account;
GRANT SELECT ON SYS.DBA_TABLES TO &account;
GRANT SELECT ON SYS.DBA_TABLESPACES TO &account;
GRANT SELECT ON SYS.DBA_TABLESPACE_USAGE_METRICS TO &account;
GRANT SELECT ON SYS.DBA_TAB_COLUMNS TO &account;
GRANT SELECT ON SYS.DBA_TAB_MODIFICATIONS TO &account;
GRANT SELECT ON SYS.DBA_USERS TO &account;
GRANT SELECT ON SYS.GV_$LOCKED_OBJECT TO &account;
GRANT SELECT ON SYS.GV_$TRANSACTION TO &account;
GRANT SELECT ON SYS.V_$DATABASE_BLOCK_CORRUPTION TO &account;
GRANT SELECT ON SYS.V_$INDEX_USAGE_INFO TO &account;
GRANT SELECT ON SYS.V_$SEGMENT_STATISTICS TO &account;
GRANT SELECT ON SYS.V_$SQL TO &account;
GRANT SELECT ON SYS.V_$SQL_PLAN TO &account;
-- not given, for an account that only rebuilds: DBMS_SPACE.CREATE_INDEX_COST then answers ORA-01031
--   (cost_not_asked of an item) and the formula alone tells the room of a build; where both are wanted, the site
--   itself gives it: GRANT CREATE ANY INDEX TO account
