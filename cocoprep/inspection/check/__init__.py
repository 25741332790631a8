"""Labels that look wrong: each person held against all others of the data set."""
