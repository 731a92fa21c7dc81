"""The state of record in Redis: keys, scripts, codecs, encryption and the audit trail."""
