-- purpose: make a sequence of a copy, past what is there
-- kind: change
-- engine: oracle 12.1-23
-- privileges: CREATE SEQUENCE
-- locks: none
-- licence: none
-- binds: sequence (quoted), start (whole number), steps (INCREMENT BY, MINVALUE, MAXVALUE, CYCLE, CACHE with whole numbers)
-- columns: none
-- source: SQL Language Reference 19c, CREATE SEQUENCE
CREATE SEQUENCE {sequence} START WITH {start} {steps}
