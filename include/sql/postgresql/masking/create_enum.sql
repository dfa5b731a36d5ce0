-- purpose: make an enum type of the copy
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: type (identifier: the type), labels (literals: its labels, in order)
-- columns: none
-- source: PostgreSQL manual, CREATE TYPE
CREATE TYPE {type} AS ENUM ({labels})
