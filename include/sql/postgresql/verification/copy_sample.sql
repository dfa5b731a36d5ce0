-- purpose: stream columns of a share of the blocks of one table, each block drawn by itself, in the text format of COPY
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the columns
-- locks: ACCESS SHARE while it streams
-- licence: none
-- binds: columns (identifiers, each cast to text), relation (identifier: schema and table), percent (literal: how many of a hundred blocks), seed (literal: what they are drawn by)
-- columns: text (one line per row; tab between columns, backslash escapes inside)
-- source: PostgreSQL manual, SELECT, TABLESAMPLE: SYSTEM chooses blocks, each with the given chance, all rows of a chosen one
COPY (SELECT {columns} FROM ONLY {relation} TABLESAMPLE SYSTEM ({percent}) REPEATABLE ({seed})) TO STDOUT
