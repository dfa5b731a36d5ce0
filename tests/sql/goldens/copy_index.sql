CREATE UNIQUE INDEX "Own; DROP USER x--"."I" ON "Own; DROP USER x--"."T" ("ID", "表'); END; /* ")
