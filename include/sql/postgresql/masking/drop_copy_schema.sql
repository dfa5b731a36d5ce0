-- purpose: destroy a schema of a copy with what is left in it
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: ACCESS EXCLUSIVE on what is in it
-- licence: none
-- binds: schema (identifier: the schema)
-- columns: none
-- source: PostgreSQL manual, DROP SCHEMA
DROP SCHEMA IF EXISTS {schema} CASCADE
