"""`python -m app` is the command `powershaper-sheets`."""

from app.cli import main

main()
