-- purpose: deliver a copy, or put an older one aside: all its tables at once
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of the schema, CREATE on the database
-- locks: ACCESS EXCLUSIVE on the schema's name
-- licence: none
-- binds: schema (identifier: the schema), name (identifier: its new name)
-- columns: none
-- source: PostgreSQL manual, ALTER SCHEMA
ALTER SCHEMA {schema} RENAME TO {name}
