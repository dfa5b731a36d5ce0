-- purpose: let the looking account log on and read what the engine asks every target
-- kind: grants
-- engine: oracle 11.2-23
-- privileges: SYSDBA, or GRANT ANY OBJECT PRIVILEGE with GRANT ANY PRIVILEGE
-- locks: none
-- licence: none
-- binds: account (identifier: the looking account; SQL*Plus: DEFINE account = DRYDOCK_LOOK, in a CDB a common user C##DRYDOCK_LOOK)
-- columns: none
-- source: SQL Language Reference 19c, GRANT; Database Reference 19c, Static Data Dictionary Views, Dynamic Performance Views
GRANT CREATE SESSION TO &account;
GRANT SELECT ON SYS.V_$ACTIVE_INSTANCES TO &account;
GRANT SELECT ON SYS.V_$DATABASE TO &account;
GRANT SELECT ON SYS.V_$DATAGUARD_STATS TO &account;
GRANT SELECT ON SYS.V_$INSTANCE TO &account;
GRANT SELECT ON SYS.V_$OPTION TO &account;
GRANT SELECT ON SYS.V_$OSSTAT TO &account;
GRANT SELECT ON SYS.V_$PARAMETER TO &account;
GRANT SELECT ON SYS.V_$RECOVERY_FILE_DEST TO &account;
GRANT SELECT ON SYS.V_$SESSION TO &account;
GRANT SELECT ON SYS.V_$VERSION TO &account;
-- only where the owner has licensed the Diagnostics Pack: leave these two out elsewhere
GRANT SELECT ON SYS.DBA_HIST_SNAPSHOT TO &account;
GRANT SELECT ON SYS.DBA_HIST_SYS_TIME_MODEL TO &account;
-- only where Statspack is installed
GRANT SELECT ON PERFSTAT.STATS$SNAPSHOT TO &account;
GRANT SELECT ON PERFSTAT.STATS$SYS_TIME_MODEL TO &account;
GRANT SELECT ON PERFSTAT.STATS$TIME_MODEL_STATNAME TO &account;
