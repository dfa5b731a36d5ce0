-- purpose: list the schemas of this database
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: name (of the schema)
-- source: PostgreSQL manual, System Catalogs: pg_namespace
SELECT n.nspname AS name FROM pg_namespace AS n ORDER BY n.nspname
