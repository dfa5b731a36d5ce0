-- purpose: tell which of the traditional trails were made ready for cleaning: INIT_CLEANUP moves their tables, so a DBA does it, once
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT DBA_AUDIT_MGMT_CONFIG_PARAMS
-- locks: none
-- licence: none
-- binds: none
-- columns: audit_trail (which), every_hours (its default interval of cleaning; text)
-- source: Database Reference 19c, DBA_AUDIT_MGMT_CONFIG_PARAMS; PL/SQL Packages and Types Reference 19c, DBMS_AUDIT_MGMT.INIT_CLEANUP and IS_CLEANUP_INITIALIZED (a BOOLEAN, which no query can ask)
SELECT
    audit_trail AS audit_trail,
    parameter_value AS every_hours
FROM dba_audit_mgmt_config_params
WHERE parameter_name = 'DEFAULT CLEAN UP INTERVAL' AND parameter_value <> 'NOT SET'
ORDER BY audit_trail
