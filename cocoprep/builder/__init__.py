"""The steps of a build, without an engine: select people, write a shard, account for all of it."""
