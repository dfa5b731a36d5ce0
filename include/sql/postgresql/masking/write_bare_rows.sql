-- purpose: rows of one chunk without a value: of a table that has no column, or computed ones alone
-- kind: change
-- engine: postgresql 14-19
-- privileges: the account owns the table
-- locks: ROW EXCLUSIVE on the table
-- licence: none
-- binds: table (of the copy)
-- columns: none
-- source: PostgreSQL manual, COPY
COPY {table} FROM STDIN (FORMAT binary)
