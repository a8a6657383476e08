"""`python -m leadvelocity`."""

from leadvelocity.cli import main

if __name__ == "__main__":
    main()
