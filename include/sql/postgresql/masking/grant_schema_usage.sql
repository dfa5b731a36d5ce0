-- purpose: let a reader of the policy use a delivered copy
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: schema (identifier: the schema), reader (identifier: the role)
-- columns: none
-- source: PostgreSQL manual, GRANT
GRANT USAGE ON SCHEMA {schema} TO {reader}
