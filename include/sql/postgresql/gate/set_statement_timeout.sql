-- purpose: let the server itself end the next statement when nobody is left to cancel it
-- kind: session
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: milliseconds (whole number, from 1)
-- columns: none
-- source: PostgreSQL manual, Client Connection Defaults: statement_timeout
SET statement_timeout = {milliseconds}
