"""`python -m actwin.cli` is `actwin`."""

from actwin.cli import main

if __name__ == "__main__":
    main()
