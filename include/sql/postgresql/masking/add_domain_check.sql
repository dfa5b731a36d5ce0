-- purpose: add a check to a domain of the copy
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: domain (identifier: the domain), name (identifier: the check), definition (as the source's server writes it)
-- columns: none
-- source: PostgreSQL manual, ALTER DOMAIN
ALTER DOMAIN {domain} ADD CONSTRAINT {name} {definition}
