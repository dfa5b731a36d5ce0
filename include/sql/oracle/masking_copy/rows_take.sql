-- purpose: put the masked rows of one part into their table, in the transaction that writes the part down
-- kind: change
-- engine: oracle 12.1-23
-- privileges: none beyond CREATE SESSION
-- locks: row exclusive on the table
-- licence: none
-- binds: table (quoted), columns (quoted), taken (columns of the piece, quoted, some of them converted), piece (quoted)
-- columns: none
-- source: SQL Language Reference 19c, INSERT; FROM_TZ, NUMTODSINTERVAL, NUMTOYMINTERVAL, CAST
INSERT INTO {table} ({columns}) SELECT {taken} FROM {piece}
