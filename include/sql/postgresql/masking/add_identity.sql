-- purpose: make a column of the copy an identity column, with its sequence
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: table (identifier: the table), column (identifier: the column), kind (ALWAYS or BY DEFAULT), sequence (identifier: its sequence), increment (step), minimum (least), maximum (greatest), start (first), cache (values kept by a session), cycle (CYCLE or NO CYCLE)
-- columns: none
-- source: PostgreSQL manual, ALTER TABLE
ALTER TABLE {table} ALTER COLUMN {column} ADD GENERATED {kind} AS IDENTITY (SEQUENCE NAME {sequence}
    INCREMENT BY {increment} MINVALUE {minimum} MAXVALUE {maximum} START WITH {start} CACHE {cache} {cycle})
