"""Where bytes lie: the file store protocol, this machine's disk, buckets, the web, and digests."""
