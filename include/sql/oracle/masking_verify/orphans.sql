-- purpose: count rows that refer to a row that is not there
-- kind: question
-- engine: oracle 11.2-23
-- privileges: READ on the table, FLASHBACK on it for an older SCN; or its owner
-- locks: none
-- licence: none
-- binds: child (owner and table, quoted, alias c), parent (owner and table, quoted, alias p), present (condition: the columns of c are not NULL), same (condition: the columns of c and p agree)
-- columns: found (rows without their parent)
-- source: SQL Language Reference 19c, EXISTS Condition
SELECT COUNT(*) AS found
FROM {child}
WHERE {present} AND NOT EXISTS (SELECT 1 FROM {parent} WHERE {same})
