-- purpose: name the tables with a materialized view log, and whether it knows rows by ROWID
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_MVIEW_LOGS
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (of master and log), name (the master), log_table (of the log), rowids (YES, NO)
-- source: Database Reference 19c, DBA_MVIEW_LOGS
SELECT
    l.log_owner AS owner,
    l.master AS name,
    l.log_table AS log_table,
    l.rowids AS rowids
FROM dba_mview_logs l
