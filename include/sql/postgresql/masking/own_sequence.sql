-- purpose: let a column of the copy own its sequence
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: sequence (identifier: the sequence), column (identifier: schema, table and column)
-- columns: none
-- source: PostgreSQL manual, ALTER SEQUENCE
ALTER SEQUENCE {sequence} OWNED BY {column}
