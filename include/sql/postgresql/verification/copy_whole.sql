-- purpose: stream columns of one table with all its partitions, each as text, in the text format of COPY
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the columns
-- locks: ACCESS SHARE while it streams
-- licence: none
-- binds: columns (identifiers, each cast to text), relation (identifier: schema and table)
-- columns: text (one line per row; tab between columns, backslash escapes inside)
-- source: PostgreSQL manual, COPY, File Formats: Text Format
COPY (SELECT {columns} FROM {relation}) TO STDOUT
