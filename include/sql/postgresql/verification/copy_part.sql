-- purpose: stream columns of some blocks of one table, each as text, in the text format of COPY
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the columns
-- locks: ACCESS SHARE while it streams
-- licence: none
-- binds: columns (identifiers, each cast to text), relation (identifier: schema and table), first (literal: tid of the first row), behind (literal: tid behind the last row)
-- columns: text (one line per row; tab between columns, backslash escapes inside)
-- source: PostgreSQL manual, COPY, File Formats: Text Format; System Columns: ctid; release notes 14: TID range scans
COPY (SELECT {columns} FROM ONLY {relation} WHERE ctid >= {first}::tid AND ctid < {behind}::tid) TO STDOUT
