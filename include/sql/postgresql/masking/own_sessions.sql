-- purpose: process ids of the sessions that masking itself holds on this server
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: pid (process id)
-- source: PostgreSQL manual, pg_stat_activity
SELECT a.pid FROM pg_stat_activity AS a WHERE a.application_name LIKE 'drydock/masking.%' AND a.usename = current_user
