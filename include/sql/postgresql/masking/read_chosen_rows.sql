-- purpose: those rows of one range of pages that a subset takes
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the columns and on those of the condition
-- locks: ACCESS SHARE on the relations
-- licence: none
-- binds: columns (of the relation), table (the relation), first (its first page), end (the page after its last), chosen (condition of the subset)
-- columns: data (the stream, in the format of COPY binary)
-- source: PostgreSQL manual, COPY; TID Scan
COPY (SELECT {columns} FROM ONLY {table} AS t WHERE t.ctid >= {first} AND t.ctid < {end} AND ({chosen})) TO STDOUT (FORMAT binary)
