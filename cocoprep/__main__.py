"""`python -m cocoprep`."""

from cocoprep.cli import main

if __name__ == "__main__":
    main()
