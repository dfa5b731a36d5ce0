-- purpose: tell the server's clock, its version and who asks
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: now_at (time), version_num (for example 150006), account (who asks), is_standby (true in recovery)
-- source: PostgreSQL manual, Date/Time Functions; System Information Functions
SELECT
    clock_timestamp() AS now_at,
    current_setting('server_version_num')::int AS version_num,
    session_user AS account,
    pg_is_in_recovery() AS is_standby
