"""The whole project on one page: rules, sessions, mistakes, experiments, models, costs and decisions."""
