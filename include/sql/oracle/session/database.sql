-- purpose: tell which database answers, in which role and how it logs
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.V_$DATABASE
-- locks: none
-- licence: none
-- binds: none
-- columns: dbid (DBID), name (database name), unique_name (DB_UNIQUE_NAME), role (PRIMARY, PHYSICAL STANDBY, ...), open_mode (READ WRITE, MOUNTED, ...), log_mode (ARCHIVELOG, NOARCHIVELOG), force_logging (YES, NO)
-- source: Database Reference 19c, V$DATABASE
SELECT
    d.dbid AS dbid,
    d.name AS name,
    d.db_unique_name AS unique_name,
    d.database_role AS role,
    d.open_mode AS open_mode,
    d.log_mode AS log_mode,
    d.force_logging AS force_logging
FROM v$database d
