"""A build on this machine: watched from outside, in processes of its own."""
