-- purpose: let the work account of the pipeline reindex see what it decides on, and change it;
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
GRANT SELECT ON SYS.DBA_TAB_COLUMNS TO &account;
GRANT SELECT ON SYS.GV_$LOCKED_OBJECT TO &account;
GRANT SELECT ON SYS.GV_$TRANSACTION TO &account;
GRANT SELECT ON SYS.V_$DATABASE_BLOCK_CORRUPTION TO &account;
GRANT SELECT ON SYS.V_$INDEX_USAGE_INFO TO &account;
GRANT SELECT ON SYS.V_$SEGMENT_STATISTICS TO &account;
-- optional, for a table whose indexes are rebuilt: DBMS_SPACE.CREATE_INDEX_COST then tells the
--   room of a build too; without it the call answers ORA-01031 (cost_not_asked of an item), and the
--   formula alone tells the room (room_from of an item). It opens: indexes of the account's own on that table,
--   where it has quota: give it none. CREATE ANY INDEX would be enough too, and opens every schema: GRANT INDEX ON owner.table TO account
