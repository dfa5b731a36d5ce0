-- purpose: tell which instance answers, its version and state
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.V_$INSTANCE
-- locks: none
-- licence: none
-- binds: none
-- columns: instance (instance number), name (instance name), version (as the instance says it), status (STARTED, MOUNTED, OPEN), started_at (local time of the host)
-- source: Database Reference 19c, V$INSTANCE
SELECT
    i.instance_number AS instance,
    i.instance_name AS name,
    i.version AS version,
    i.status AS status,
    i.startup_time AS started_at
FROM v$instance i
