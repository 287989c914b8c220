"""`python -m api.cli`: the command line where the `lamplighter` program is not installed."""

from api.cli.app import main

if __name__ == "__main__":
    main()
