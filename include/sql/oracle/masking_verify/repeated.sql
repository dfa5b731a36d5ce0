-- purpose: count combinations of columns that stand in more than one row; a NULL makes a combination unlike all others
-- kind: question
-- engine: oracle 11.2-23
-- privileges: READ on the table, FLASHBACK on it for an older SCN; or its owner
-- locks: none
-- licence: none
-- binds: relation (owner and table, quoted, with AS OF SCN where one is wanted, alias t), present (condition: the columns are not NULL), columns (of the alias t)
-- columns: found (combinations)
-- source: SQL Language Reference 19c, GROUP BY, HAVING
SELECT COUNT(*) AS found
FROM (SELECT COUNT(*) AS times FROM {relation} WHERE {present} GROUP BY {columns} HAVING COUNT(*) > 1) o
