-- purpose: the rows of a relation from one page on, for the copy: also what was added since it was measured
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the columns
-- locks: ACCESS SHARE on the relation
-- licence: none
-- binds: columns (of the relation), table (the relation), first (its first page)
-- columns: data (the stream, in the format of COPY binary)
-- source: PostgreSQL manual, COPY; TID Scan: a range of ctid reads only its pages
COPY (SELECT {columns} FROM ONLY {table} AS t WHERE t.ctid >= {first}) TO STDOUT (FORMAT binary)
