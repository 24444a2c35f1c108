"""`python -m greengauge`."""

from greengauge.cli import main

if __name__ == "__main__":
    main()
