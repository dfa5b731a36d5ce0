-- purpose: let this session only read, whatever it is told; the server's own setting stays visible in pg_settings.reset_val
-- kind: session
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, SET TRANSACTION
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY
