-- purpose: ask whether SHRINK SPACE would run on a table; it changes nothing and always ends with an error, ORA-10655 for yes
-- kind: change
-- engine: oracle 11.2-23
-- privileges: ALTER ANY TABLE, or owner of the table
-- locks: none
-- licence: none
-- binds: table (identifier: owner and table)
-- columns: none
-- source: SQL Language Reference 19c, ALTER TABLE, shrink_clause; CHECK is not in the manual (My Oracle Support 1132163.1): any other answer is a no
ALTER TABLE {table} SHRINK SPACE CHECK
