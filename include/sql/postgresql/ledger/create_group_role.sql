-- purpose: create a group role of the ledger, which nobody can log in as
-- kind: change
-- engine: postgresql 14-19
-- privileges: CREATEROLE
-- locks: none
-- licence: none
-- binds: role (identifier: name of the role)
-- columns: none
-- source: PostgreSQL manual, CREATE ROLE; Role Membership
CREATE ROLE {role} NOLOGIN
