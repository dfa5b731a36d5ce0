ALTER TABLE "Own; DROP USER x--"."T" MODIFY ("表'); END; /* " DEFAULT "Own; DROP USER x--"."表'); END; /* ".NEXTVAL)
