-- purpose: let the work account of the changing pipelines ask what reclaim and reindex both ask
-- kind: grants
-- engine: oracle 11.2-23
-- privileges: SYSDBA, or GRANT ANY OBJECT PRIVILEGE with GRANT ANY PRIVILEGE
-- locks: none
-- licence: none
-- binds: account (identifier: the work account; SQL*Plus: DEFINE account = DRYDOCK_WORK, in a CDB a local user of the PDB)
-- columns: none
-- source: SQL Language Reference 19c, GRANT; Database Reference 19c, Static Data Dictionary Views, Dynamic Performance Views
GRANT CREATE SESSION TO &account;
GRANT SELECT ON SYS.DBA_INDEXES TO &account;
GRANT SELECT ON SYS.DBA_IND_PARTITIONS TO &account;
GRANT SELECT ON SYS.DBA_IND_SUBPARTITIONS TO &account;
GRANT SELECT ON SYS.DBA_OBJECTS TO &account;
GRANT SELECT ON SYS.DBA_TABLESPACES TO &account;
GRANT SELECT ON SYS.DBA_TABLESPACE_USAGE_METRICS TO &account;
GRANT SELECT ON SYS.DBA_TAB_MODIFICATIONS TO &account;
GRANT SELECT ON SYS.DBA_USERS TO &account;
GRANT SELECT ON SYS.V_$SQL TO &account;
GRANT SELECT ON SYS.V_$SQL_PLAN TO &account;
