"""Run vettle as `python -m vettle`."""

from vettle.server.entry import main

main()
