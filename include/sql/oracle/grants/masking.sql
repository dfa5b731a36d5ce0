-- purpose: let the reading account of the pipeline masking see how the source's tables are made;
--   its rows need more: READ on each table in scope, FLASHBACK on each for one consistent picture, and where policies of row
--   security or redaction exist EXEMPT ACCESS POLICY and EXEMPT REDACTION POLICY, or else the run stops and says so
-- kind: grants
-- engine: oracle 12.1-23
-- privileges: SYSDBA, or GRANT ANY OBJECT PRIVILEGE
-- locks: none
-- licence: none
-- binds: account (identifier: the reading account; SQL*Plus: DEFINE account = DRYDOCK_MASKING, in a CDB a local user of the PDB)
-- columns: none
-- source: SQL Language Reference 19c, GRANT; SELECT (AS OF)
GRANT CREATE SESSION TO &account;
GRANT SELECT ON SYS.DBA_COL_COMMENTS TO &account;
GRANT SELECT ON SYS.DBA_CONSTRAINTS TO &account;
GRANT SELECT ON SYS.DBA_CONS_COLUMNS TO &account;
GRANT SELECT ON SYS.DBA_EXTENTS TO &account;
GRANT SELECT ON SYS.DBA_INDEXES TO &account;
GRANT SELECT ON SYS.DBA_IND_COLUMNS TO &account;
GRANT SELECT ON SYS.DBA_OBJECTS TO &account;
GRANT SELECT ON SYS.DBA_PART_KEY_COLUMNS TO &account;
GRANT SELECT ON SYS.DBA_PART_TABLES TO &account;
GRANT SELECT ON SYS.DBA_POLICIES TO &account;
GRANT SELECT ON SYS.DBA_ROLE_PRIVS TO &account;
GRANT SELECT ON SYS.DBA_SEQUENCES TO &account;
GRANT SELECT ON SYS.DBA_SYS_PRIVS TO &account;
GRANT SELECT ON SYS.DBA_TABLES TO &account;
GRANT SELECT ON SYS.DBA_TAB_COLS TO &account;
GRANT SELECT ON SYS.DBA_TAB_COMMENTS TO &account;
GRANT SELECT ON SYS.DBA_TAB_IDENTITY_COLS TO &account;
GRANT SELECT ON SYS.DBA_TAB_PARTITIONS TO &account;
GRANT SELECT ON SYS.DBA_TAB_PRIVS TO &account;
GRANT SELECT ON SYS.GV_$UNDOSTAT TO &account;
GRANT SELECT ON SYS.REDACTION_POLICIES TO &account;
GRANT SELECT ON SYS.V_$DATABASE TO &account;
GRANT SELECT ON SYS.V_$INSTANCE TO &account;
GRANT SELECT ON SYS.V_$NLS_PARAMETERS TO &account;
