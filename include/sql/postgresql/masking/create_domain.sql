-- purpose: make a domain of the copy, its checks later
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: domain (identifier: the domain), base (definition: its base type), options (collation, default, NOT NULL; or nothing)
-- columns: none
-- source: PostgreSQL manual, CREATE DOMAIN
CREATE DOMAIN {domain} AS {base} {options}
