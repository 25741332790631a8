"""A built folder: records, shards, sidecars, ledger and manifest; reading, checking and copying it."""
