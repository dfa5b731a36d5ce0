-- purpose: masked rows of one chunk, into a table of the copy that nobody else sees yet
-- kind: change
-- engine: postgresql 14-19
-- privileges: the account owns the table
-- locks: ROW EXCLUSIVE on the table
-- licence: none
-- binds: table (of the copy), columns (in the order of the stream)
-- columns: none
-- source: PostgreSQL manual, COPY
COPY {table} ({columns}) FROM STDIN (FORMAT binary)
