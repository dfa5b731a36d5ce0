-- purpose: give a thing of the copy the scrubbed comment of the source
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: what (SCHEMA, TYPE, DOMAIN, SEQUENCE, TABLE, COLUMN, INDEX, STATISTICS), object (identifier: the thing), comment (literal: its comment)
-- columns: none
-- source: PostgreSQL manual, COMMENT
COMMENT ON {what} {object} IS {comment}
