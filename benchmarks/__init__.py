"""Measurements of vettle: how well it decides and how fast it is, printed as Markdown tables."""

import os

# Before numpy is first imported: its threads would fight for the cores and blur every latency.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
