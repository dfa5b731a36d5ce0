-- purpose: tell what a masked copy must know of the database that it is made from
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.V_$DATABASE, SELECT ON SYS.V_$INSTANCE, SELECT ON SYS.V_$NLS_PARAMETERS
-- locks: none
-- licence: none
-- binds: none
-- columns: database (name), identity (DBID), role (PRIMARY, PHYSICAL STANDBY, ...), open_mode (READ WRITE, READ ONLY WITH APPLY, ...), version (as 19.25.0.0.0), character_set (of CHAR, VARCHAR2, CLOB), national_set (of NCHAR, NVARCHAR2), scn (system change number now), rewritten_at (highest of the last incarnation's first SCN)
-- source: Database Reference 19c, V$DATABASE, V$INSTANCE, V$NLS_PARAMETERS
SELECT
    d.name AS database,
    d.dbid AS identity,
    d.database_role AS role,
    d.open_mode AS open_mode,
    i.version AS version,
    c.value AS character_set,
    n.value AS national_set,
    d.current_scn AS scn,
    d.resetlogs_change# AS rewritten_at
FROM v$database d
CROSS JOIN v$instance i
LEFT JOIN v$nls_parameters c ON c.parameter = 'NLS_CHARACTERSET'
LEFT JOIN v$nls_parameters n ON n.parameter = 'NLS_NCHAR_CHARACTERSET'
