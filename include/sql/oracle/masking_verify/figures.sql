-- purpose: figures of one table, each an aggregate over many rows
-- kind: question
-- engine: oracle 11.2-23
-- privileges: READ on the table, FLASHBACK on it for an older SCN; or its owner
-- locks: none
-- licence: none
-- binds: figures (aggregates, each with a name), relation (owner and table, quoted, with AS OF SCN where one is wanted, alias t), condition (on the alias t)
-- columns: figure (each of those asked for, by its name)
-- source: SQL Language Reference 19c, Aggregate Functions; SELECT, flashback_query_clause
SELECT {figures} FROM {relation} WHERE {condition}
