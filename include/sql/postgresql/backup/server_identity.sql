-- purpose: tell which cluster answers, in which role, on which timeline and how far its log has been written
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: system_id (system identifier), version (server_version), role (primary or standby), timeline (timeline id), position (bytes of log), clock_at (server clock)
-- source: PostgreSQL manual, System Information Functions (control data), Backup Control Functions, Recovery Information Functions
SELECT
    control.system_identifier::text AS system_id,
    current_setting('server_version') AS version,
    CASE WHEN recovery.active THEN 'standby' ELSE 'primary' END AS role,
    -- a control file is as old as its last checkpoint; on a primary the file name of the present position is not
    CASE
        WHEN recovery.active THEN checkpoint.timeline_id
        ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int
    END AS timeline,
    (CASE WHEN recovery.active THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END - '0/0'::pg_lsn)::bigint AS position,
    clock_timestamp() AS clock_at
FROM
    pg_control_system() AS control,
    pg_control_checkpoint() AS checkpoint,
    (SELECT pg_is_in_recovery() AS active) AS recovery
