"""`python -m edge_runtime`: the command line, where no script is installed."""

from edge_runtime.cli import main

if __name__ == "__main__":
    main()
