"""Which value of a variable, such as which model, suits which context: learned from runs and sessions.

`outcomes` reads what happened, `beliefs` says what follows from it, `advice` what to do, and `ranks` puts
it together. Nothing here decides an experiment, and nothing is taken out of use by itself.
"""
