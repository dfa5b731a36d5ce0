-- purpose: set the statistics target of an expression of an index
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: index (identifier: the index), number (place of the expression), target (statistics target)
-- columns: none
-- source: PostgreSQL manual, ALTER INDEX
ALTER INDEX {index} ALTER COLUMN {number} SET STATISTICS {target}
