"""Run vettle as `python -m vettle`."""

from vettle.server.cli import main

main()
