"""Where candidate rules come from besides people and agents: journals, reviews, and starter packs."""
