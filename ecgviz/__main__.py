"""``python -m ecgviz``: the command line without its entry point on the path."""

import sys

from ecgviz.cli import main

if __name__ == "__main__":
    sys.exit(main())
