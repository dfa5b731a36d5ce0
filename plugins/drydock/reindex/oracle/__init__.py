"""Index rebuild on Oracle: leave most indexes alone, and do the rest so that degree, logging and usability are as they were.

Sources: SQL Language Reference 19c, ALTER INDEX; PL/SQL Packages and Types Reference 19c, DBMS_SPACE, DBMS_REPAIR;
Administrator's Guide 19c, "Managing Indexes"; Licensing Information User Manual 19c.
"""
