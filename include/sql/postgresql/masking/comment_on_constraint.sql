-- purpose: give a constraint of the copy the scrubbed comment of the source
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: name (identifier: the constraint), what (DOMAIN or nothing), object (identifier: its table or domain), comment (literal: its comment)
-- columns: none
-- source: PostgreSQL manual, COMMENT
COMMENT ON CONSTRAINT {name} ON {what} {object} IS {comment}
