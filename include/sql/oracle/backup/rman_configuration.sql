-- purpose: tell what is configured for RMAN beside its defaults
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$RMAN_CONFIGURATION
-- locks: none
-- licence: none
-- binds: none
-- columns: name (CONTROLFILE AUTOBACKUP, RETENTION POLICY and others), setting (its value)
-- source: Oracle Database Reference 19c, V$RMAN_CONFIGURATION (a row only for what is not the default)
SELECT name AS name, value AS setting
FROM v$rman_configuration
