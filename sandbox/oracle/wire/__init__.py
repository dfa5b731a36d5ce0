"""The wire of the Oracle simulator: TNS packets and TTC messages as a 19c server speaks them to python-oracledb thin.

    packets    TNS: the outer packets, CONNECT, ACCEPT, REFUSE, REDIRECT, MARKER
    ttc        TTC: numbers and byte strings inside DATA packets, read as a stream over packets
    values     Oracle's formats of numbers, dates, intervals, floats, rowids
    columns    which type has which number and format; descriptions of columns and binds
    auth       logon with the 11G verifier
    requests   what a client asks, parsed
    messages   what a server answers
    cursors    an open statement with its binds, columns and rows not fetched yet
    lobs       locators and what lies behind them
    calls      execute, fetch, commit: from a request to an answer, through the Backend
    direct     direct path load
    channel    a socket with its reader thread, which notices a break while a statement runs
    session    one logged-on client

The protocol is not published; what is written here was learnt from the client's open source (python-oracledb, thin
mode). The server poses as 19.25 with field version 12 (19.1): no fast authentication, no end-of-response flag, no
out-of-band breaks, so none of the fields that later versions added are on the wire.
"""
