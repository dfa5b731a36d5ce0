-- purpose: see that a session still answers
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: is_here (always true)
-- source: PostgreSQL manual, SELECT
SELECT true AS is_here
