-- purpose: make a schema in which a copy is built; nobody but its owner can use it
-- kind: change
-- engine: postgresql 14-19
-- privileges: CREATE on the database
-- locks: none on anything that others use
-- licence: none
-- binds: schema (identifier: the schema)
-- columns: none
-- source: PostgreSQL manual, CREATE SCHEMA
CREATE SCHEMA IF NOT EXISTS {schema}
