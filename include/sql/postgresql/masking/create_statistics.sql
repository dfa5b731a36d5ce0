-- purpose: define extended statistics of the copy; what they hold is gathered anew
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: statistics (identifier: schema and name), body (definition after the name)
-- columns: none
-- source: PostgreSQL manual, CREATE STATISTICS
CREATE STATISTICS IF NOT EXISTS {statistics} {body}
