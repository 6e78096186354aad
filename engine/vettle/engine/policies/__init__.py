"""How a variant is chosen: pure policies over stored results, randomised blocks, and structured beliefs."""
