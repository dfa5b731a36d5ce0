-- The accounts of a small test world; the passwords are the superuser's.
create role backup_job login replication;
create role drydock login;
