-- purpose: make a session fail instead of reading only the rows that a row-level policy lets it see, and send UTF-8
-- kind: session
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: none
-- columns: set_config (the values that now hold)
-- source: PostgreSQL manual, Client Connection Defaults: row_security, client_encoding
SELECT
    set_config('row_security', 'off', false),
    set_config('client_encoding', 'UTF8', false),
    set_config('bytea_output', 'hex', false),
    set_config('statement_timeout', '0', false),
    set_config('search_path', '', false)
