-- purpose: let a sequence of the copy go on where the source's is
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: sequence (schema and name, quoted), value (newest value taken)
-- columns: value (newest value taken)
-- source: PostgreSQL manual, Sequence Manipulation Functions
SELECT pg_catalog.setval(%(sequence)s::pg_catalog.regclass, %(value)s, true) AS value
