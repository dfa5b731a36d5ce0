-- purpose: tell the instances that have the database mounted
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.V_$ACTIVE_INSTANCES
-- locks: none
-- licence: none
-- binds: none
-- columns: instance (instance number), name (host:instance)
-- source: Database Reference 19c, V$ACTIVE_INSTANCES
SELECT
    a.inst_number AS instance,
    a.inst_name AS name
FROM v$active_instances a
ORDER BY a.inst_number
