"""``python -m aiorescue``: the command, where its script is not on the path."""

from aiorescue.cli import main

if __name__ == "__main__":
    main()
