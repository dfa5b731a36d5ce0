-- purpose: make a sequence of the copy
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: sequence (identifier: the sequence), type (definition: its type), increment (step), minimum (least), maximum (greatest), start (first), cache (values kept by a session), cycle (CYCLE or NO CYCLE)
-- columns: none
-- source: PostgreSQL manual, CREATE SEQUENCE
CREATE SEQUENCE IF NOT EXISTS {sequence} AS {type} INCREMENT BY {increment} MINVALUE {minimum} MAXVALUE {maximum} START WITH {start}
    CACHE {cache} {cycle}
