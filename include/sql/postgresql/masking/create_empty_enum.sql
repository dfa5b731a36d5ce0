-- purpose: make an enum type without labels, as the source has it
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: type (identifier: the type)
-- columns: none
-- source: PostgreSQL manual, CREATE TYPE
CREATE TYPE {type} AS ENUM ()
