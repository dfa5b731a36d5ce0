COMMENT ON COLUMN "Own; DROP USER x--"."T"."表'); END; /* " IS '人员''s; --'
