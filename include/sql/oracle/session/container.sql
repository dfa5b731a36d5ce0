-- purpose: tell whether this is a container database, and which container the session is in
-- kind: read
-- engine: oracle 12.1-23
-- privileges: SELECT ON SYS.V_$DATABASE
-- locks: none
-- licence: none
-- binds: none
-- columns: is_cdb (YES, NO), container (CDB$ROOT or the name of a PDB), con_id (number of the container)
-- source: Database Reference 19c, V$DATABASE; SQL Language Reference 19c, SYS_CONTEXT
SELECT
    d.cdb AS is_cdb,
    sys_context('USERENV', 'CON_NAME') AS container,
    to_number(sys_context('USERENV', 'CON_ID')) AS con_id
FROM v$database d
