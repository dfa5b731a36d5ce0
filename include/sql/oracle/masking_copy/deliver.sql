-- purpose: let the readers see the whole copy at once: all grants in one transaction, or none
-- kind: change
-- engine: oracle 12.1-23
-- privileges: none beyond CREATE SESSION
-- locks: none
-- licence: none
-- binds: owner (quoted), grants (GRANT SELECT ON quoted TO quoted, ...)
-- columns: none
-- source: SQL Language Reference 19c, CREATE SCHEMA (several GRANT, one transaction)
CREATE SCHEMA AUTHORIZATION {owner} {grants}
