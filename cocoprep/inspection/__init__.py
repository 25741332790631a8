"""Data sets looked over before a build: what is in them, and photographs that two of them share."""
