"""Data sets looked over before a build: photographs that two of them share."""
