-- purpose: make a sequence of a copy, past what is there
-- kind: change
-- engine: oracle 12.1-23
-- privileges: CREATE SEQUENCE
-- locks: none
-- licence: none
-- binds: sequence (quoted), start (whole number), step (whole number), least (whole number), most (whole number), cycle (CYCLE, NOCYCLE), cache (CACHE with a number, NOCACHE)
-- columns: none
-- source: SQL Language Reference 19c, CREATE SEQUENCE
CREATE SEQUENCE {sequence} START WITH {start} INCREMENT BY {step} MINVALUE {least} MAXVALUE {most} {cycle} {cache}
