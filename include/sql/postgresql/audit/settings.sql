-- purpose: tell every setting that decides what is logged, where and how long
-- kind: read
-- engine: postgresql 14-19
-- privileges: pg_read_all_settings
-- locks: none
-- licence: none
-- binds: none
-- columns: name (setting), value (as SHOW tells it), pending (true: changed in the file, and waits for a restart)
-- source: PostgreSQL manual, pg_settings; Error Reporting and Logging; auto_explain; pgaudit, README
SELECT
    name,
    current_setting(name) AS value,
    pending_restart AS pending
FROM pg_settings
WHERE
    name LIKE 'log\_%'
    OR name LIKE 'pgaudit.%'
    OR name LIKE 'auto\_explain.%'
    OR name IN (
        'logging_collector', 'shared_preload_libraries', 'session_preload_libraries', 'local_preload_libraries',
        'syslog_facility', 'syslog_ident', 'compute_query_id'
    )
ORDER BY name
