-- purpose: set storage, compression, statistics targets, keys and checks of one table of the copy, in one go
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: table (identifier: the table), changes (clauses)
-- columns: none
-- source: PostgreSQL manual, ALTER TABLE
ALTER TABLE ONLY {table} {changes}
