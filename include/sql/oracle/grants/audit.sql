-- purpose: let the looking account of the pipeline audit read the trails, and what decides on them; it can change nothing of them
-- kind: grants
-- engine: oracle 11.2-23
-- privileges: SYSDBA, or GRANT ANY OBJECT PRIVILEGE with GRANT ANY PRIVILEGE; in a database with Database Vault also DBMS_MACADM.AUTHORIZE_AUDIT_VIEWER
-- locks: none
-- licence: none
-- binds: account (identifier: the looking account; SQL*Plus: DEFINE account = DRYDOCK_LOOK, in a CDB a local user of the PDB)
-- columns: none
-- source: SQL Language Reference 19c, GRANT; Security Guide 19c, Who Can View the Unified Audit Trail (AUDIT_VIEWER gives more than these)
GRANT CREATE SESSION TO &account;
GRANT SELECT ON SYS.DBA_AUDIT_MGMT_CLEANUP_JOBS TO &account;
GRANT SELECT ON SYS.DBA_AUDIT_MGMT_CONFIG_PARAMS TO &account;
GRANT SELECT ON SYS.DBA_AUDIT_MGMT_LAST_ARCH_TS TO &account;
GRANT SELECT ON SYS.DBA_AUDIT_TRAIL TO &account;
GRANT SELECT ON SYS.DBA_FGA_AUDIT_TRAIL TO &account;
GRANT SELECT ON SYS.DBA_ROLE_PRIVS TO &account;
GRANT SELECT ON SYS.DBA_SEGMENTS TO &account;
GRANT SELECT ON SYS.DBA_STMT_AUDIT_OPTS TO &account;
GRANT SELECT ON SYS.DBA_SYS_PRIVS TO &account;
GRANT SELECT ON SYS.DBA_TABLESPACES TO &account;
GRANT SELECT ON SYS.DBA_TABLESPACE_USAGE_METRICS TO &account;
GRANT SELECT ON SYS.DBA_TAB_PRIVS TO &account;
GRANT SELECT ON SYS.DBA_USERS TO &account;
GRANT SELECT ON SYS.V_$OPTION TO &account;
GRANT SELECT ON SYS.V_$PWFILE_USERS TO &account;
GRANT SELECT ON SYS.V_$SYSTEM_PARAMETER TO &account;
-- these come with unified auditing (12.1): an older database refuses these grants, and needs them not; in 12.1 the first is SYS's
GRANT SELECT ON AUDSYS.UNIFIED_AUDIT_TRAIL TO &account;
GRANT SELECT ON SYS.AUDIT_UNIFIED_ENABLED_POLICIES TO &account;
GRANT SELECT ON SYS.AUDIT_UNIFIED_POLICIES TO &account;
GRANT SELECT ON SYS.GV_$UNIFIED_AUDIT_TRAIL TO &account;
