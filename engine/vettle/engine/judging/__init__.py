"""Judge experiments with variants at any time: pure statistics, no store, no clock, no chance of its own.

Two designs, two tools. Runs collected in blocks (`blocks`, `mixture`) are judged by e-processes that
hold at every look; runs collected otherwise (`estimates`) by asymptotic confidence sequences, labelled
so. `checks` says whether the data can be trusted, `verdict` puts everything together in words.
"""
