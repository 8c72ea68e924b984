"""The whole loop once, on one machine and without the internet: what ``mailguard demo`` shows.

A name server with fictional hospitals, audits of them, a listener that receives DMARC reports over SMTP, a database,
and a guide. Everything here is a stage: the pieces that play on it (``feedback``, ``store``, ``ingest``, ``audit``) are
the real ones, and nothing outside this package imports it.
"""
