-- purpose: set the degree of parallelism of an index back, which a parallel rebuild leaves behind
-- kind: change
-- engine: oracle 11.2-23
-- privileges: ALTER ANY INDEX, or owner of the index
-- locks: exclusive, for a moment
-- licence: none
-- binds: index (identifier: owner and index), degree (keywords of the builder)
-- columns: none
-- source: SQL Language Reference 19c, ALTER INDEX, parallel_clause
ALTER INDEX {index} {degree}
