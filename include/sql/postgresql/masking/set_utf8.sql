-- purpose: let the texts of both sides of a copy be of one encoding
-- kind: session
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, Character Set Support
SET client_encoding = 'UTF8'
