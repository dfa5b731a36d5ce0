-- purpose: let the server look, while a statement of this session runs, whether its client is still there: a dead worker's locks go soon
-- kind: session
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: milliseconds (whole number; 0: never)
-- columns: none
-- source: PostgreSQL manual, Client Connection Defaults: client_connection_check_interval (refused on systems without the means)
SET client_connection_check_interval = {milliseconds}
