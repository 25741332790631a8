"""How good joints are: OKS, PCK, whose they are, kinds of errors, and what to compare with."""
