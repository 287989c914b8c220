"""`python -m lamplighter`: the program, where its folder is not in the path."""

from lamplighter.run import main

if __name__ == "__main__":
    main()
