"""What to try next: evidence for whoever proposes, a model that may be asked, and a review before anything starts."""
