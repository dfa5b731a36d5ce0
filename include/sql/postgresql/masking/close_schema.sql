-- purpose: take from a role what default privileges or a delivery gave it on a schema
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: schema (identifier: the schema), grantee (identifier: the role, or the keyword PUBLIC)
-- columns: none
-- source: PostgreSQL manual, REVOKE, ALTER DEFAULT PRIVILEGES
REVOKE ALL ON SCHEMA {schema} FROM {grantee}
