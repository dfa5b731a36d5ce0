-- purpose: the rows of one range of pages of a relation, for the copy
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the columns
-- locks: ACCESS SHARE on the relation
-- licence: none
-- binds: columns (of the relation), table (the relation), first (its first page), end (the page after its last)
-- columns: data (the stream, in the format of COPY binary)
-- source: PostgreSQL manual, COPY; TID Scan: a range of ctid reads only its pages
COPY (SELECT {columns} FROM ONLY {table} AS t WHERE t.ctid >= {first} AND t.ctid < {end}) TO STDOUT (FORMAT binary)
